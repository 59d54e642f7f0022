/** What the table of a class shows of a submission. */
import { type Level, levels } from "../subjects.ts";
import type { Graded } from "./graded.ts";

/** Points: one for each check that passed, of those that count. */
export interface Points {
  readonly passed: number;
  /** Without those that were skipped. */
  readonly of: number;
}

/** A row of the table. */
export interface Row extends Points {
  readonly name: string;
  /** The points in each level that was asked for. */
  readonly levels: Readonly<Partial<Record<Level, Points>>>;
  /** Whether nothing failed, and nothing was left out because of something else. */
  readonly passedAll: boolean;
  /** Id of the first check that failed. */
  readonly failedId: string | undefined;
  /** The first failure in a few words; empty if there is none. */
  readonly failure: string;
  readonly offences: readonly string[];
  readonly seconds: number;
}

export function rowOf({ name, results, problem, offences, elapsedMs }: Graded): Row {
  const failed = results.find(({ status }) => status === "fail");
  const points = pointsOf(results);
  const said = failed === undefined ? undefined : `${failed.id}: ${fewWords(failed)}`;
  const notGraded = problem === undefined ? offences[0] : `not graded: ${problem}`;
  const passedAll = points.passed === points.of && problem === undefined;
  return {
    name,
    ...points,
    levels: Object.fromEntries(levels.flatMap((level) => {
      const own = results.filter((result) => result.level === level);
      return own.length === 0 ? [] : [[level, pointsOf(own)]];
    })),
    passedAll,
    failedId: failed?.id,
    failure: said ?? (passedAll ? "" : notGraded ?? ""),
    offences,
    seconds: elapsedMs / 1_000,
  };
}

/** What was observed, to a reader who is not its author. */
function fewWords({ detail, sentence }: Graded["results"][number]): string {
  return (detail ?? sentence).replaceAll(/\byour program /g, "");
}

function pointsOf(results: Graded["results"]): Points {
  const counted = results.filter(({ status }) => status !== "skip");
  return {
    passed: counted.filter(({ status }) => status === "pass").length,
    of: counted.length,
  };
}

/** The levels that occur in a class, the easiest first. */
export function levelsIn(rows: readonly Row[]): Level[] {
  return levels.filter((level) => rows.some((row) => row.levels[level] !== undefined));
}

/** The checks that failed first, with how many submissions it was the first failure of, most first. */
export function firstFailures(
  rows: readonly Row[],
): readonly (readonly [id: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { failedId } of rows) {
    if (failedId !== undefined) counts.set(failedId, (counts.get(failedId) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one);
}
