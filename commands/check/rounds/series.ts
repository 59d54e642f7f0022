import { formatEndpoint } from "../../../protocol/addresses.ts";
import type { AssessedRow, AssessedTarget } from "./assessment.ts";
import { isAnswer, type Verdict } from "../probe/verdict.ts";

/** All tries of one address of a target. */
export interface Series extends Readonly<Omit<Count, "connectMs" | "replyMs">> {
  /** The share of tries without the right reply, 0-1. */
  readonly loss: number;
  readonly connect: Spread | undefined;
  readonly reply: Spread | undefined;
}

/** Sums up the rounds of a check; it keeps only the figures of each try. */
export class Tally {
  readonly #targets: AssessedTarget[] = [];
  /** The tries of each target by address, since a name may resolve differently in each round. */
  readonly #counts: Map<string, Count>[] = [];

  add(round: readonly AssessedTarget[]): void {
    for (const [index, target] of round.entries()) {
      const shown = this.#targets[index];
      // A target is as expected if it was so in every round.
      if (shown === undefined || (shown.asExpected && !target.asExpected)) {
        this.#targets[index] = target;
      }
      const counts = this.#counts[index] ??= new Map();
      for (const row of target.rows) {
        const key = row.remote === undefined ? "" : formatEndpoint(row.remote);
        const count = counts.get(key) ?? newCount(row);
        counts.set(key, count);
        addRow(count, row);
      }
    }
  }

  get targets(): readonly AssessedTarget[] {
    return this.#targets;
  }

  get series(): readonly Series[] {
    return this.#counts.flatMap((counts) => [...counts.values()].map(seriesOf));
  }
}

/** The figures of one address so far. */
interface Count {
  /** The row that represents them all: the first of those that count worst. */
  row: AssessedRow;
  tries: number;
  asExpected: number;
  /** How often each verdict was found. */
  readonly verdicts: Map<Verdict, number>;
  readonly connectMs: number[];
  readonly replyMs: number[];
}

function newCount(row: AssessedRow): Count {
  return { row, tries: 0, asExpected: 0, verdicts: new Map(), connectMs: [], replyMs: [] };
}

const severity = { fail: 2, note: 1, pass: 0 } as const;

function addRow(count: Count, row: AssessedRow): void {
  const { verdict, asExpected, status, probed: { connectMs, replyMs } } = row;
  count.tries++;
  if (asExpected) count.asExpected++;
  count.verdicts.set(verdict, (count.verdicts.get(verdict) ?? 0) + 1);
  if (severity[status] > severity[count.row.status]) count.row = row;
  if (!isAnswer(verdict)) return;
  if (connectMs !== undefined) count.connectMs.push(connectMs);
  if (replyMs !== undefined) count.replyMs.push(replyMs);
}

function seriesOf({ connectMs, replyMs, ...count }: Count): Series {
  const { tries, verdicts } = count;
  const alive = [...verdicts].reduce((sum, [verdict, n]) => isAnswer(verdict) ? sum + n : sum, 0);
  return {
    ...count,
    loss: 1 - alive / tries,
    connect: spreadOf(connectMs),
    reply: spreadOf(replyMs),
  };
}

/** How durations are distributed, in milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Returns the spread of durations, or `undefined` if there are none. */
export function spreadOf(durations: readonly number[]): Spread | undefined {
  const sorted = [...durations].sort((one, other) => one - other);
  const max = sorted.at(-1);
  if (max === undefined) return undefined;
  const percentile = (percent: number): number => {
    // Nearest rank: always a measured duration.
    const rank = Math.ceil((percent / 100) * sorted.length);
    return sorted[rank - 1] ?? max;
  };
  return { p50: percentile(50), p95: percentile(95), p99: percentile(99), max };
}
