import type { Flags } from "./flags.ts";
import type { Channels } from "./report.ts";

/** What `--version` says. */
export interface Version {
  /** netdemo's own. */
  readonly number: string;
  /** What runs it, with its version: `Deno 2.9.6`. */
  readonly runtime: string;
  /** The system it runs on: `x86_64-unknown-linux-gnu`. */
  readonly target: string;
}

/** A row of the command table. */
export interface Command {
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Whether it starts other programs: only then does it keep the permission to. @default {false} */
  readonly startsPrograms?: boolean;
  /** Loads the code that runs it: a command costs nothing until it is used. */
  load(): Promise<Program>;
}

/** What a command runs, and what its help says. */
export interface Program {
  /** What may stand after the flags. */
  readonly usage: string;
  /**
   * A few sentences for its help, which are wrapped to the terminal. An empty
   * line begins a paragraph; lines with columns
   * (two spaces or more) are rows of a table.
   */
  readonly about: string;
  readonly examples: readonly string[];
  readonly flags: Flags;
  /** Words that may stand for its arguments, where they are known: a shell completes them. */
  readonly words?: readonly string[];
  /**
   * Runs it to its end.
   *
   * @param args What follows the command's name.
   * @returns the exit code.
   * @throws {Failure} if it could not be done.
   */
  run(args: readonly string[], channels: Channels): Promise<number>;
}
