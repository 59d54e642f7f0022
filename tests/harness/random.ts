import fc from "fast-check";

/** What random inputs are made from: NETDEMO_SEED, or one of its own that a failure prints. */
export const seed = Number(Deno.env.get("NETDEMO_SEED") ?? Date.now() % 1_000_000);

/**
 * Checks a property against random inputs, made from {@linkcode seed}.
 *
 * @param runs How many inputs.
 * @throws {Error} with the smallest input found that breaks it, and the seed that repeats it.
 */
export async function assertProperty<T>(
  property: fc.IAsyncProperty<T> | fc.IProperty<T>,
  runs: number,
): Promise<void> {
  try {
    await fc.assert(property as fc.IAsyncProperty<T>, { seed, numRuns: runs });
  } catch (error) {
    throw new Error(`NETDEMO_SEED=${seed} repeats this failure`, { cause: error });
  }
}

/** Random values without end, the same for the same seed. */
export function* endless<T>(arbitrary: fc.Arbitrary<T>, from = seed): Generator<T, never> {
  for (let batch = from;; batch++) yield* fc.sample(arbitrary, { seed: batch, numRuns: 1_000 });
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
