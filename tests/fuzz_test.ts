import { fuzz } from "./fuzz.ts";

Deno.test("some 2,000 random inputs: no crash, no hang, every line gets its answer", async () => {
  await fuzz(2_000);
});
