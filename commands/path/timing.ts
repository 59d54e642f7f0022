/** `0.8 ms`, `1200 ms`. */
export function inMs(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

/** Milliseconds since a `performance.now()` time. */
export function since(start: number): number {
  return performance.now() - start;
}
