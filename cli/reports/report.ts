import { asFailure, Failure } from "../errors/failure.ts";
import type { Event } from "../output/events.ts";

/**
 * The outcome of one test of a command.
 *
 * `allowed` is a failure that the user knows of and accepts; `not-judged` could
 * not be tested because another test failed; `skip` can't be tested here. Only
 * `fail` counts as a failure.
 */
export type Status = "pass" | "note" | "fail" | "allowed" | "skip" | "not-judged";

/** The result of one test of `check`, `path` or `grade`: the facts that every report needs. */
export interface Result {
  /** Identifies it within its command, the same in every run: `half-close-late`. */
  readonly id: string;
  readonly status: Status;
  /** What should hold, in a few words. */
  readonly sentence: string;
  /** What was observed, on one line. */
  readonly detail?: string | undefined;
  /** Further details by name: `sent`, `saw`, `why`, `fix`. */
  readonly more?: Readonly<Record<string, string>> | undefined;
  /** The kind of failure, for programs. @default {the status} */
  readonly type?: string | undefined;
  readonly elapsedMs?: number | undefined;
}

/** The end of a report. */
export interface Summary {
  /** A line for people, if the failure on stderr does not say it all. */
  readonly text?: string | undefined;
  /** Its line of `--json`; `undefined` if the failure has a line of its own instead. */
  readonly event?: Event | undefined;
  /** Why the command ended before everything was tested, if it did. */
  readonly aborted?: string | undefined;
}

/** Takes the results of a command and prints them. */
export interface Report<R extends Result = Result> {
  /** Prints results, now or at the end. The rows of results that are given together are aligned. */
  add(results: readonly R[]): void;
  /**
   * Prints the end of the report.
   *
   * @throws the error of stdout or the file system, if something could not be written.
   */
  end(summary: Summary): Promise<void>;
}

/** A report that is several; each is ended, even if another can't be written. */
export function allOf<R extends Result>(reports: readonly Report<R>[]): Report<R> {
  return {
    add(results) {
      for (const report of reports) report.add(results);
    },
    async end(summary) {
      const ended = await Promise.allSettled(reports.map((report) => report.end(summary)));
      const failed = ended.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    },
  };
}

/**
 * Ends a report, and throws the command's own failure. If the report can't be written either, both
 * are said, with the exit code of the command's own.
 *
 * @throws the failure, or why the report can't be written.
 */
export async function endReport<R extends Result>(
  report: Report<R>,
  summary: Summary,
  failure: Failure | undefined,
): Promise<void> {
  try {
    await report.end(summary);
  } catch (error) {
    if (failure === undefined || !(error instanceof Failure)) throw error;
    const { kind, message, hint, exitCode, excerpt } = failure;
    const options = { cause: error, hint, exitCode, excerpt };
    throw new Failure(kind, `${message}; ${error.message}`, options);
  }
  if (failure !== undefined) throw failure;
}

/** Ends a report because of an error that keeps its command from going on. @throws the error. */
export async function breakOff<R extends Result>(
  report: Report<R>,
  error: unknown,
): Promise<never> {
  const failure = asFailure(error);
  await endReport(report, { aborted: failure.message }, failure);
  throw failure;
}
