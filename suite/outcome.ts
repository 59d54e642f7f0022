import type { Evidence, TestFacts } from "./test.ts";

/**
 * How a test turned out.
 *
 * `allowed` is a failure that the user knows of and accepts; `skip` can't be tested here;
 * `not-judged` could not be tested because of something else. Only `fail` counts as a failure.
 */
export type Status = "pass" | "note" | "fail" | "allowed" | "skip" | "not-judged";

/** A test's result. */
export interface Outcome {
  readonly test: TestFacts;
  readonly status: Status;
  /** What was observed, or why it was skipped. */
  readonly detail?: string | undefined;
  /** Of a failure, also of an allowed one. */
  readonly evidence?: Evidence | undefined;
  /** Id of the failed test because of which this one is not judged. */
  readonly see?: string | undefined;
  readonly elapsedMs: number;
}

/** How many of the outcomes have each status. */
export function countByStatus(outcomes: readonly Outcome[]): Readonly<Record<Status, number>> {
  const counts = { pass: 0, note: 0, fail: 0, allowed: 0, skip: 0, "not-judged": 0 };
  for (const { status } of outcomes) counts[status]++;
  return counts;
}

/** The ids of the tests with a status, in order. */
export function idsWith(status: Status, outcomes: readonly Outcome[]): string[] {
  return outcomes.filter((outcome) => outcome.status === status).map(({ test }) => test.id);
}
