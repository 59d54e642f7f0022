import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { service as calc } from "../services/calc.ts";
import { serve } from "../services/server/stream_server.ts";
import {
  linux,
  memoryOf,
  netdemoCommand,
  Process,
  python3,
  signalTest,
  silence,
  startServer,
  TestConnection,
  testWith,
} from "./harness/mod.ts";
import { Flooded, floods } from "./harness/floods.ts";

/** Milliseconds that an answer may take during a flood. */
const LIMIT_MS = 100;
/** The same for the slowest answer; generous, as other tests run at the same time. */
const WORST_MS = 600;

/** Rounds of which one must be brief: other tests may hold the machine up during one. */
const ROUNDS = 3;

/** Asserts that most answers are as fast as promised, and the slowest, listed first, not much slower. */
async function assertBrief(flooded: Flooded, milliseconds: number): Promise<void> {
  let median = Infinity;
  let worst = Infinity;
  for (let left = ROUNDS; left > 0 && !(median < LIMIT_MS && worst < WORST_MS); left--) {
    const waits = await flooded.waits(milliseconds);
    median = waits[Math.floor(waits.length / 2)] ?? Infinity;
    worst = waits[0] ?? Infinity;
  }
  assertLess(median, LIMIT_MS);
  assertLess(worst, WORST_MS);
}

for (const flood of floods) {
  testWith(
    [python3],
    `a flood of ${flood.name} delays neither other clients nor a stop`,
    async () => {
      await using flooded = await Flooded.start(flood, 1, ["--grace", "100ms"]);
      await assertBrief(flooded, 300);
      const started = performance.now();
      assertEquals((await flooded.server.stop()).code, 0);
      assertLess(performance.now() - started, 100 + 2 * WORST_MS);
    },
  );
}

testWith(
  [python3],
  "during a flood from 200 clients, another client waits only briefly",
  async () => {
    const [sums] = floods;
    if (sums === undefined) throw new Error("no flood");
    await using flooded = await Flooded.start(sums, 200);
    await assertBrief(flooded, 700);
  },
);

testWith(
  [python3],
  "--timeout holds against a server that sends endless empty lines",
  async () => {
    for (const line of ["\n", "\r\n"]) {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const port = (listener.addr as Deno.NetAddr).port;
      await using client = new Process(
        [...netdemoCommand, "calc-client", `127.0.0.1:${port}`, "--timeout", "1s", "1", "1", "+"],
      );
      using conn = await listener.accept();
      const started = performance.now();
      const bytes = new TextEncoder().encode(line.repeat(100_000));
      const flooding = (async () => {
        while (true) await conn.write(bytes);
      })().catch(() => {});
      const { code, stderr } = await client.ended();
      await flooding;
      assertLess(performance.now() - started, 3_000);
      assertEquals(code === 124 || code === 1, true, stderr);
      assertMatch(stderr, /^netdemo: (?:TIMEOUT|ERROR): /);
    }
  },
);

Deno.test("empty lines keep no connection alive", async () => {
  await using server = await serve(calc, { port: 0, idleTimeout: 300, requestTimeout: 300 });
  for (const line of ["\n", "\r\n"]) {
    using connection = await TestConnection.open(server.port ?? 0);
    const started = performance.now();
    const end = connection.receiveAll();
    let open = true;
    end.then(() => open = false);
    while (open && performance.now() - started < 5_000) {
      await connection.send(line.slice(0, 1)).catch(() => {});
      await silence(20);
      await connection.send(line.slice(1)).catch(() => {});
    }
    await end.catch(() => {});
    assertLess(performance.now() - started, 2_000);
  }
});

/** Times that a round is tried on a machine that is too busy to time it. */
const TRIES = 20;

/** Tries until the machine is quick enough for the round's timing. @throws {Error} if it never is. */
async function retryWhileBusy(round: () => Promise<"done" | "busy">): Promise<void> {
  for (let left = TRIES; left > 0; left--) if (await round() === "done") return;
  throw new Error(`this machine is too busy: ${TRIES} tries, none in time`);
}

/**
 * Suspends a process within the silence of a request or reply that was sent in part, sends the rest
 * meanwhile, and lets the process go on: it has seen a pause, but the sender made none.
 *
 * @returns "busy" if the silence was real, because this machine took too long.
 */
async function suspendWithinSilence(
  process: Process,
  milliseconds: number,
  sentAt: number,
  sendRest: () => Promise<void>,
): Promise<"done" | "busy"> {
  await silence(100);
  process.kill("SIGSTOP");
  const isBusy = performance.now() - sentAt > 180;
  await silence(milliseconds / 2);
  await sendRest();
  await silence(milliseconds / 2);
  process.kill("SIGCONT");
  return isBusy ? "busy" : "done";
}

signalTest("a suspended server cuts no request of a classic client in two", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  for (const milliseconds of [90, 130, 170, 210, 250, 300]) {
    await retryWhileBusy(async () => {
      using connection = await TestConnection.open(port);
      const sentAt = performance.now();
      await connection.send("10 20");
      const sendRest = () => connection.send(" +");
      if (await suspendWithinSilence(process, milliseconds, sentAt, sendRest) === "busy") {
        return "busy";
      }
      assertEquals(await connection.receive(), "Sum of 10 and 20 is 30", `${milliseconds} ms`);
      return "done";
    });
  }
});

signalTest("a suspended client cuts no reply of a classic server in two", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  for (const milliseconds of [130, 250]) {
    await retryWhileBusy(async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      await using client = new Process(
        [...netdemoCommand, "calc-client", `127.0.0.1:${listener.addr.port}`, "10", "20", "+"],
      );
      using conn = await listener.accept();
      conn.setNoDelay();
      await conn.read(new Uint8Array(100));
      const sentAt = performance.now();
      await conn.write(encode("Sum of 10 and"));
      const sendRest = async () => void await conn.write(encode(" 20 is 30"));
      if (await suspendWithinSilence(client, milliseconds, sentAt, sendRest) === "busy") {
        return "busy";
      }
      const ended = await client.ended();
      assertEquals(ended, { code: 0, stdout: "Sum of 10 and 20 is 30\n", stderr: "" });
      return "done";
    });
  }
});

signalTest("a server that is suspended while it stops answers what arrives meanwhile", async () => {
  for (const milliseconds of [10, 20, 30, 40]) {
    await retryWhileBusy(async () => {
      const { process, port } = await startServer(["calc-server"]);
      await using _process = process;
      using connection = await TestConnection.open(port);
      await connection.send("1 1 +\n");
      await connection.receiveLines(1);
      const stoppedAt = performance.now();
      process.kill("SIGTERM");
      await silence(milliseconds);
      process.kill("SIGSTOP");
      // After 50 ms it may have ended the connection already.
      const isBusy = performance.now() - stoppedAt > 48;
      await connection.send("10 20 +\n").catch(() => {});
      await silence(120);
      process.kill("SIGCONT");
      const reply = await connection.receiveAll().catch(String);
      if (isBusy) return "busy";
      assertEquals(reply, "Sum of 10 and 20 is 30\n", `${milliseconds} ms`);
      return "done";
    });
  }
});

testWith(
  [linux],
  "a connection that is idle after a long message uses no more memory than another idle one",
  async () => {
    const { process, port } = await startServer(["message-server"]);
    await using _process = process;
    process.stallStdout(); // the messages need not be read here
    const long = `${"x".repeat(65_000)}\n`;
    const open = async (count: number): Promise<TestConnection[]> => {
      const connections: TestConnection[] = [];
      for (let left = count; left > 0; left--) {
        const connection = await TestConnection.open(port);
        connections.push(connection);
        await connection.send(long);
        assertEquals(await connection.receiveLines(1), ["Thanks..."]);
      }
      return connections;
    };
    const first = await open(2_000); // the runtime makes its one-time allocations
    const before = await memoryOf(process.pid);
    const more = await open(1_500);
    const each = (await memoryOf(process.pid) - before) / more.length;
    for (const connection of [...first, ...more]) connection[Symbol.dispose]();
    assertLess(each, 60); // kB: includes uncollected garbage; retained buffers would be 130
  },
);
