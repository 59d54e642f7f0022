import { fuzz } from "./fuzz.ts";

Deno.test("some 2,000 random inputs cause no crash and no hang, and every line gets its answer", async () => {
  await fuzz(2_000);
});
