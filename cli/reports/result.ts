import type { Event } from "../events.ts";

/**
 * How one of the things that a command looks at turned out.
 *
 * `allowed` is a failure that the user knows of and accepts, `not-judged` one
 * that could not be looked at since another has failed, `skip` one that can't
 * be looked at here. Only `fail` counts as a failure.
 */
export type Status = "pass" | "note" | "fail" | "allowed" | "skip" | "not-judged";

/** One thing that `check`, `path` or `grade` looked at, as each kind of report needs it. */
export interface Result {
  /** Names it within its command, the same in each run: `half-close-late`. */
  readonly id: string;
  readonly status: Status;
  /** What should hold, in a few words. */
  readonly sentence: string;
  /** What was seen, on one line. */
  readonly detail?: string | undefined;
  /** What else is known, by its name: `sent`, `saw`, `why`, `fix`. */
  readonly more?: Readonly<Record<string, string>> | undefined;
  /** What kind of failure it is, for programs. @default {the status} */
  readonly type?: string | undefined;
  readonly elapsedMs?: number | undefined;
  /** Its row for people: what stands in the columns after `ok` or `NOT`. */
  readonly cells: readonly string[];
  /** Its line of `--json`; `undefined` where that was printed before. */
  readonly event?: Event | undefined;
}

/** What stands at the end of a report. */
export interface Summary {
  /** A line for people, where there is more to say than the failure on stderr does. */
  readonly text?: string | undefined;
  /** Its line of `--json`. */
  readonly event: Event;
}

/** Takes the results of a command and prints them. */
export interface Report {
  /** Sets the columns that each cell of a row takes at least; the last needs none. */
  columns(widths: readonly number[]): void;
  /** Prints what only programs are to know, as a line of `--json`. */
  event(event: Event): void;
  /** Prints a result, now or at the end. */
  add(result: Result): void;
  /**
   * Prints what stands at the end.
   *
   * @throws what stdout or the file system throws if something could not be written.
   */
  end(summary: Summary): Promise<void>;
}
