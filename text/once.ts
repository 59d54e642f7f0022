/** Returns what makes a value on first use: a pattern of Unicode classes is slow to compile. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
