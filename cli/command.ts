import type { Flags } from "./flags.ts";
import type { Channels } from "./report.ts";

/** A row of the command table. */
export interface Command {
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Loads the code that runs it: a command costs nothing until it is used. */
  load(): Promise<Program>;
}

/** What a command runs, and what its help says. */
export interface Program {
  /** What may stand after the flags. */
  readonly usage: string;
  /** A few sentences for its help, lines of up to 78 characters. */
  readonly about: string;
  readonly examples: readonly string[];
  readonly flags: Flags;
  /**
   * Runs it to its end.
   *
   * @param args What follows the command's name.
   * @returns the exit code.
   * @throws {Failure} if it could not be done.
   */
  run(args: readonly string[], channels: Channels): Promise<number>;
}
