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
