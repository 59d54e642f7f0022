import { assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { buildLoad, runLoad, start, type Target } from "./bench/load.ts";
import { linux, netdemoCommand, testWith, tool } from "./harness/mod.ts";

/** A test of the load generator, which is written in C for Linux. */
function loadTest(name: string, fn: (load: string) => Promise<void>): void {
  testWith([linux, tool("cc")], name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await fn(await buildLoad(folder));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function startNetdemo(...args: string[]): Promise<Target> {
  return start([...netdemoCommand, ...args, "--port", "0"]);
}

loadTest(
  "of 256 connections that ask without a pause, none starves",
  async (load) => {
    await using target = await startNetdemo("calc-server");
    await runLoad(load, target, ["tcp", "-c", "256", "-s", "0.3"]); // warms it up
    const { leastShare = 0 } = await runLoad(load, target, ["tcp", "-c", "256", "-s", "0.5"]);
    assertGreater(leastShare, 0); // how even the shares are is for the benchmark
  },
);

loadTest("a load gets correct answers in every mode of the generator", async (load) => {
  await using target = await startNetdemo("calc-server");
  await using udp = await startNetdemo("calc-server", "--udp");
  const { pid } = target;
  for (
    const [args, to] of [
      [["tcp", "-c", "8", "-d", "100"], target],
      [["connect", "-c", "8"], target],
      [["idle", "-c", "100", "-i", String(pid)], target],
      [["udp", "-c", "8"], udp],
    ] as const
  ) {
    const measured = await runLoad(load, to, [...args, "-s", "0.2"]);
    assertGreater(measured.answers, 0, args.join(" "));
    assertEquals(measured.lost, 0);
    const { p50, p90, p99, p999, max } = measured.micros;
    const latencies = [p50, p90, p99, p999];
    assertEquals(latencies, latencies.toSorted((one, other) => one - other));
    assertGreater(max * 1.02, p999); // a bucket's midpoint may be slightly above its values
  }
});

loadTest("a wrong answer ends the load and is reported", async (load) => {
  await using target = await startNetdemo("message-server");
  const error = await assertRejects(() => runLoad(load, target, ["tcp", "-s", "0.3"]), Error);
  assertMatch(error.message, /^load: wrong reply: Thanks\.\.\./);
});
