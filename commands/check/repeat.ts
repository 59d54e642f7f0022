import type { AssessedRow, AssessedTarget } from "./assess.ts";
import { formatEndpoint } from "../../protocol/addresses.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import { showsLife, type Verdict } from "./verdict.ts";

/** All tries of one address of a target. */
export interface Series {
  /** The row that stands for all: the first that is not as expected, or else the first. */
  readonly row: AssessedRow;
  readonly tries: number;
  readonly asExpected: number;
  /** How often each verdict was found. */
  readonly verdicts: ReadonlyMap<Verdict, number>;
  /** The share of tries without the right reply, 0-1. */
  readonly loss: number;
  readonly connect: Spread | undefined;
  readonly reply: Spread | undefined;
}

/** Sums up the rounds of a check: a target is as expected if it was in each of them. */
export function sumUp(rounds: readonly (readonly AssessedTarget[])[]): {
  readonly targets: readonly AssessedTarget[];
  readonly series: readonly Series[];
} {
  const [first = []] = rounds;
  const targets = first.map((_, index) => {
    const found = rounds.flatMap((round) => round[index] ?? []);
    const shown = found.find(({ asExpected }) => !asExpected) ?? found[0];
    if (shown === undefined) throw new TypeError("Cannot sum up a target without a round");
    return shown;
  });
  const series = first.flatMap((_, index) =>
    seriesOf(rounds.flatMap((round) => round[index] ?? []))
  );
  return { targets, series };
}

/** The tries of a target by address: a name may stand for others from one round to the next. */
function seriesOf(found: readonly AssessedTarget[]): Series[] {
  const byRemote = Map.groupBy(
    found.flatMap(({ rows }) => rows),
    ({ remote }) => remote === undefined ? "" : formatEndpoint(remote),
  );
  return [...byRemote.values()].map(sumUpRows);
}

const severity = { fail: 0, note: 1, pass: 2 } as const;

function sumUpRows(rows: readonly AssessedRow[]): Series {
  const [row] = [...rows].sort((one, other) => severity[one.status] - severity[other.status]);
  if (row === undefined) throw new TypeError("Cannot sum up an address without a try");
  const verdicts = new Map<Verdict, number>();
  for (const { verdict } of rows) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  const alive = rows.filter(({ verdict }) => showsLife(verdict));
  const durations = (pick: (row: AssessedRow) => number | undefined): number[] =>
    alive.flatMap((row) => pick(row) ?? []);
  return {
    row,
    tries: rows.length,
    asExpected: rows.filter(({ asExpected }) => asExpected).length,
    verdicts,
    loss: 1 - alive.length / rows.length,
    connect: spreadOf(durations(({ probed }) => probed.connectMs)),
    reply: spreadOf(durations(({ probed }) => probed.replyMs)),
  };
}
