import type { Flags } from "./arguments/flags.ts";
import type { Channels } from "./output/channels.ts";
import type { SystemWords } from "./system_words.ts";

/** What `--version` prints. */
export interface Version {
  /** netdemo's own. */
  readonly number: string;
  /** The runtime with its version: `Deno 2.9.6`. */
  readonly runtime: string;
  /** The target it is built for: `x86_64-unknown-linux-gnu`. */
  readonly target: string;
}

/** A row of the command table. */
export interface Command {
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Whether it starts other programs; if not, it gives up the permission. @default {false} */
  readonly startsPrograms?: boolean;
  /**
   * Loads the code that runs it: a command costs nothing until it is used.
   *
   * @param words How its help names what differs between systems. @default {this system's}
   */
  load(words?: SystemWords): Promise<Program>;
}

/** The code of a command, and the contents of its help. */
export interface Program {
  /** The arguments after the flags, as the help shows them. */
  readonly usage: string;
  /** Whether they are text, which may begin with a dash. @default {false} */
  readonly takesText?: boolean | undefined;
  /**
   * A few sentences for its help, wrapped to the terminal. An empty line begins a
   * paragraph; lines with columns (two spaces or more) are rows of a table.
   */
  readonly about: string;
  readonly examples: readonly string[];
  /** Whether it promises to reset connections, which not every runtime can. @default {false} */
  readonly resets?: boolean;
  readonly flags: Flags;
  /** Known values of its arguments, for shell completion. */
  readonly words?: readonly string[];
  /**
   * Reads the arguments after the command's name, and starts nothing.
   *
   * @returns what runs the command.
   * @throws {Failure} of kind `USAGE` if they are wrong.
   */
  parse(args: readonly string[]): Run | Promise<Run>;
}

/**
 * Runs a command to its end.
 *
 * @returns the exit code.
 * @throws {Failure} if it fails.
 */
export type Run = (channels: Channels) => Promise<number>;
