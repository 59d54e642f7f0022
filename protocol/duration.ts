const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest delay that a timer accepts: about 24 days. */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/** Milliseconds of `250ms`, `5s`, `2m`, `1h`; a bare number is seconds. `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const milliseconds = Number(number) * (units[unit] ?? NaN);
  return milliseconds <= MAX_DURATION_MS ? Math.ceil(milliseconds) : undefined;
}

/** `250ms`, `5s`, `2m`: the shortest way to write it, to the millisecond. @param exact Milliseconds. */
export function formatDuration(exact: number): string {
  const milliseconds = Math.round(exact); // what is left of a limit is no whole number
  if (milliseconds > 0 && milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`;
  if (milliseconds % 1_000 === 0) return `${milliseconds / 1_000}s`;
  return `${milliseconds}ms`;
}
