import { assertEquals, assertGreater } from "@std/assert";
import { signalTest } from "./harness/mod.ts";
import { seed } from "./harness/random.ts";
import { soak } from "./soak.ts";

signalTest(
  "3 s of honest and hostile clients cause no wrong answer, end no server and leak nothing",
  async () => {
    const { result, line } = await soak(3_000);
    assertEquals(result.wrong, 0, `seed ${seed}: ${line}`);
    assertGreater(result.requests, 1_000, line);
    assertGreater(result.faults, 100, line);
  },
);
