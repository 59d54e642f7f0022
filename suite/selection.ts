import type { Outcome } from "./outcome.ts";
import type { TestFacts } from "./test.ts";

/** Returns the tests up to a level, the first level first. @param levels All, in order. */
export function upToLevel<T extends TestFacts>(
  tests: readonly T[],
  level: string,
  levels: readonly string[],
): T[] {
  return levels.slice(0, levels.indexOf(level) + 1)
    .flatMap((each) => tests.filter((test) => test.level === each));
}

/**
 * Returns the chosen tests and those that they need, in the table's order.
 *
 * @param only Ids of the chosen tests; `undefined` for all.
 */
export function withNeeds<T extends TestFacts>(
  tests: readonly T[],
  only: ReadonlySet<string> | undefined,
): T[] {
  if (only === undefined) return [...tests];
  const wanted = new Set(only);
  // A test only needs earlier ones, so that one pass from the end finds all.
  for (const { id, needs = [] } of tests.toReversed()) {
    if (wanted.has(id)) { for (const need of needs) wanted.add(need); }
  }
  return tests.filter(({ id }) => wanted.has(id));
}

/** Whether to report an outcome: that of a test which others only needed counts if it failed. */
export function isReported(
  { test, status }: Outcome,
  only: ReadonlySet<string> | undefined,
): boolean {
  return only === undefined || only.has(test.id) || status === "fail";
}
