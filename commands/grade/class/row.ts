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

/** The rows of a class. A check that can't be made of anyone counts for no one. */
export function rowsOf(all: readonly Graded[]): Row[] {
  const results = all.flatMap(({ results }) => results);
  const judged = new Set(results.filter(isJudged).map(({ id }) => id));
  const skipped = results.filter(({ id, status }) => status === "skip" && !judged.has(id));
  const uncounted = new Set(skipped.map(({ id }) => id));
  return all.map((graded) => rowOf(graded, uncounted));
}

/** A row by itself. @param uncounted Ids of checks that don't count. @default {none} */
export function rowOf(
  { name, results, problem, offences, elapsedMs }: Graded,
  uncounted: ReadonlySet<string> = new Set(),
): Row {
  const counted = results.filter(({ id, status }) => status !== "skip" && !uncounted.has(id));
  const failed = results.find(({ status }) => status === "fail");
  const points = pointsOf(counted);
  const passedAll = points.passed === points.of && problem === undefined;
  const failure = failed === undefined ? offences[0] ?? "" : `${failed.id}: ${inFewWords(failed)}`;
  return {
    name,
    ...points,
    levels: Object.fromEntries(levels.flatMap((level) => {
      const own = counted.filter((result) => result.level === level);
      return own.length === 0 ? [] : [[level, pointsOf(own)]];
    })),
    passedAll,
    failedId: problem === undefined ? failed?.id : undefined,
    failure: problem === undefined ? passedAll ? "" : failure : `not graded: ${problem}`,
    offences,
    seconds: elapsedMs / 1_000,
  };
}

type CheckResult = Graded["results"][number];

const isJudged = ({ status }: CheckResult): boolean => status === "pass" || status === "fail";

/** What was observed, to a reader who is not its author. A mistake with a name says most. */
function inFewWords({ detail, sentence, more }: CheckResult): string {
  const [, mistake] = /\n *\^ (.*)$/s.exec(more?.saw ?? "") ?? [];
  if (mistake === undefined) {
    const observed = (detail ?? sentence).replaceAll(/\byour program /g, "");
    const [said = ""] = more?.said?.split("\n") ?? [];
    return said === "" ? observed : `${observed}: ${said}`;
  }
  return /^byte \d|is missing$/.test(mistake) ? `"${detail}"` : mistake;
}

function pointsOf(counted: readonly CheckResult[]): Points {
  return {
    passed: counted.filter(({ status }) => status === "pass").length,
    of: counted.length,
  };
}

/** The levels that occur in a class, the easiest first. */
export function levelsIn(rows: readonly Row[]): Level[] {
  return levels.filter((level) => rows.some((row) => row.levels[level] !== undefined));
}

/** Those that have columns: of one alone, the points say it all. */
export function shownLevels(rows: readonly Row[]): Level[] {
  const levels = levelsIn(rows);
  return levels.length > 1 ? levels : [];
}

/** `11/12`; a dash if nothing was counted. */
export function pointsText({ passed, of }: Points = { passed: 0, of: 0 }): string {
  return of === 0 ? "-" : `${passed}/${of}`;
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
