/** Two texts compared: the difference must be visible. */
import { assertEquals } from "@std/assert";
import { contrasted } from "../text/contrast.ts";
import { netdemoInProcess } from "./harness/mod.ts";
import { answering, startStreams } from "./harness/peers.ts";

Deno.test("the difference of two texts is shown, however far into them it is", () => {
  assertEquals(contrasted("abc", "abd", 4), ["abc", "abd"]);
  assertEquals(contrasted("abcdef", "xbcdef", 4), ["abcd...", "xbcd..."]);
  assertEquals(contrasted("0123456789a", "0123456789b", 4), ["...89a", "...89b"]);
  assertEquals(contrasted("0123456789", "0123456789b", 4), ["...89", "...89b"]);
  const long = "7".repeat(1_000);
  for (let at = 0; at < 1_000; at++) {
    const [one, other] = contrasted(long, long.slice(0, at) + "8" + long.slice(at + 1), 80);
    assertEquals(one !== other && one.length <= 86, true, String(at));
  }
});

Deno.test("check and calc-client show which digit of an answer is wrong", async () => {
  // Correct except for the last digit, which is too far right to fit on a line.
  await using server = await startStreams(
    "127.0.0.1",
    answering((text) => {
      const [one = "0", other = "0"] = text.split(/\s+/);
      return `Sum of ${one} and ${other} is ${BigInt(one) + BigInt(other) + 1n}\n`;
    }),
  );
  const target = `127.0.0.1:${server.port}`;
  const check = await netdemoInProcess(["check", target]);
  const [, reply, right] = / reply: "(.*)", not "(.*)"$/m.exec(check.stdout) ?? [];
  assertEquals([check.code, reply === right], [1, false]);
  const client = await netdemoInProcess(["calc-client", target, "9".repeat(60), "1", "+"]);
  const [, received, instead] = / received '(.*)' instead of '(.*)'$/m.exec(client.stderr) ?? [];
  assertEquals([client.code, received === instead], [1, false]);
});
