import { fuzz } from "./fuzz.ts";
import { seed, seededRandom } from "./harness.ts";

Deno.test("2,000 random inputs: no crash, no hang, every line gets its answer", async () => {
  try {
    await fuzz(2_000, seededRandom(seed));
  } catch (error) {
    throw new Error(`seed ${seed} (NETDEMO_SEED repeats it)`, { cause: error });
  }
});
