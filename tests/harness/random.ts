import fc from "fast-check";

/** The seed of random inputs: NETDEMO_SEED, or a new one that a failure prints. */
export const seed = Number(Deno.env.get("NETDEMO_SEED") ?? Date.now() % 1_000_000);

/**
 * Checks a property against random inputs, generated from {@linkcode seed}.
 *
 * @param runs The number of inputs.
 * @throws {Error} with the smallest failing input found, and the seed that repeats it.
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

/** Endless random values, generated from {@linkcode seed}. */
export function* endless<T>(arbitrary: fc.Arbitrary<T>): Generator<T, never> {
  for (let batch = seed;; batch++) yield* fc.sample(arbitrary, { seed: batch, numRuns: 100 });
}

const digit = fc.constantFrom(..."0123456789");

/** An integer of up to about `digits` digits, in any form that Python reads: `-7`, `+007`, `1_000`. */
export function integer(digits: number): fc.Arbitrary<string> {
  const more = fc.string({
    unit: fc.oneof({ weight: 20, arbitrary: digit }, {
      weight: 1,
      arbitrary: digit.map((digit) => `_${digit}`),
    }),
    maxLength: digits - 1,
    size: "max", // otherwise long ones are rare
  });
  return fc.tuple(
    fc.constantFrom("", "", "", "-", "-", "+"),
    fc.constantFrom("", "", "00"),
    digit,
    more,
  )
    .map((parts) => parts.join(""));
}

/** A valid calculator command. Most operands are short, a few have thousands of digits. */
export const command: fc.Arbitrary<string> = fc.tuple(
  operand(),
  operand(),
  fc.constantFrom(..."+-*//"),
)
  .map((words) => words.join(" "));

function operand(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 40, arbitrary: integer(3) },
    { weight: 30, arbitrary: integer(18) },
    { weight: 28, arbitrary: integer(350) },
    { weight: 1, arbitrary: integer(3_000) },
    { weight: 1, arbitrary: fc.constant("0") },
  );
}
