import { assertEquals, assertGreater } from "@std/assert";
import { seed, seededRandom, signalTest } from "./harness.ts";
import { soak } from "./soak.ts";

signalTest(
  "5 s of honest and hostile clients: no wrong answer, no server ended, nothing left behind",
  async () => {
    const { result, line } = await soak(5_000, seededRandom(seed));
    assertEquals(result.wrong, 0, `seed ${seed}: ${line}`);
    assertGreater(result.requests, 1_000, line);
    assertGreater(result.faults, 100, line);
  },
);
