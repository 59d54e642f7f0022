import { assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  countDescriptors,
  memoryOf,
  probe,
  Process,
  python,
  silence,
  startServer,
  TestConnection,
  until,
} from "./harness.ts";

const linux = Deno.build.os === "linux"; // memory and descriptors are counted in /proc

/** A request with the reply that it must get, both without their line ends. */
interface Exchange {
  readonly request: string;
  readonly reply: string;
}

/** Milliseconds that one exchange may differ from the next on a machine that does other things too. */
const JITTER_MS = 0.05;

const sum: Exchange = { request: "10 20 +", reply: "Sum of 10 and 20 is 30" };

/** Milliseconds of exchanges, one after the other, the shortest first. */
async function waits(port: number, count: number, { request, reply } = sum): Promise<number[]> {
  using connection = await TestConnection.open(port);
  const times: number[] = [];
  for (let round = 0; round < count; round++) {
    const start = performance.now();
    await connection.send(`${request}\n`);
    assertEquals(await connection.receiveLines(1), [reply]);
    times.push(performance.now() - start);
  }
  return times.sort((one, other) => one - other);
}

/** The best of five tries of a quantile: what the server can do, not what else the machine did. */
async function quantile(port: number, share: number, exchange = sum): Promise<number> {
  const tries: number[] = [];
  for (let round = 0; round < 5; round++) {
    const times = await waits(port, 400, exchange);
    tries.push(times[Math.floor(times.length * share)] ?? 0);
  }
  return Math.min(...tries);
}

const openFiles = linux
  ? Number(
    new TextDecoder().decode(
      new Deno.Command("sh", { args: ["-c", "ulimit -Hn"] }).outputSync().stdout,
    ),
  )
  : 0;

Deno.test({
  name: "10,000 idle connections cost at most 12 kB each, and an exchange beside them is quick" +
    (openFiles < 10_200 ? " (skipped: not enough open files allowed)" : ""),
  ignore: openFiles < 10_200,
  async fn() {
    const { process, port } = await startServer(["calc-server", "--max-connections", "10100"]);
    await using _process = process;
    const { pid } = process.child;
    await waits(port, 2_000);
    const before = await memoryOf(pid);
    const descriptors = countDescriptors(pid) ?? 0;
    const connections: TestConnection[] = [];
    try {
      while (connections.length < 10_000) {
        const some = Array.from({ length: 100 }, () => TestConnection.open(port));
        connections.push(...await Promise.all(some));
      }
      await until(() => (countDescriptors(pid) ?? 0) > 10_000, "all are accepted");
      assertLess((await memoryOf(pid) - before) / 10_000, 12);
      const times = await waits(port, 100);
      assertLess(times.at(-1) ?? 0, 100);
    } finally {
      for (const connection of connections) connection[Symbol.dispose]();
    }
    await until(() => (countDescriptors(pid) ?? 0) <= descriptors, "all descriptors are back");
    await probe(port);
  },
});

Deno.test({
  name: "at a stop all that 5,000 connections had asked is answered" +
    (openFiles < 10_200 ? " (skipped: not enough open files allowed)" : ""),
  ignore: openFiles < 10_200,
  async fn() {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const connections: TestConnection[] = [];
    try {
      while (connections.length < 5_000) {
        const some = Array.from({ length: 100 }, () => TestConnection.open(port));
        connections.push(...await Promise.all(some));
      }
      for (const connection of connections) await connection.send(`${sum.request}\n`);
      for (const connection of connections) await connection.receiveLines(1);
      for (const connection of connections) {
        await connection.send(`${sum.request}\n`.repeat(20));
      }
      const ended = process.stop("SIGTERM");
      for (const connection of connections) {
        assertEquals(await connection.receiveAll(), `${sum.reply}\n`.repeat(20));
      }
      assertEquals((await ended).code, 0);
    } finally {
      for (const connection of connections) connection[Symbol.dispose]();
    }
  },
});

Deno.test({
  name: "100,000 times connect, ask, close leave no descriptor and no memory behind",
  ignore: !linux,
  async fn() {
    const { process, port } = await startServer(["calc-server", "--host", "0.0.0.0"]);
    await using _process = process;
    const { pid } = process.child;
    // Eight addresses of the loopback network: one has not ports enough for so many.
    const run = async (count: number): Promise<void> => {
      let left = count;
      await Promise.all(Array.from({ length: 64 }, async (_, worker) => {
        const hostname = `127.0.0.${1 + worker % 8}`;
        while (left-- > 0) {
          using connection = await TestConnection.open(port, hostname);
          await connection.send("10 20 +\n");
          assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
        }
      }));
    };
    await run(50_000); // what the runtime sets aside once is set aside now
    const descriptors = countDescriptors(pid) ?? 0;
    const before = await memoryOf(pid);
    await run(100_000);
    await until(() => (countDescriptors(pid) ?? 0) <= descriptors + 2, "descriptors are back");
    assertLess(await memoryOf(pid), before * 1.1);
    await probe(port);
  },
});

/** Waits until a process has nothing to do any more. */
async function idle(pid: number): Promise<void> {
  const time = async (): Promise<string> =>
    (await Deno.readTextFile(`/proc/${pid}/stat`)).split(" ").slice(13, 15).join();
  await until(async () => {
    const before = await time();
    await silence(200);
    return before === await time();
  }, "the server has answered what it could");
}

/** Clients that ask for ever and never read, and a server that has nothing to do about it any more. */
async function startDeaf(port: number, count: number, pid: number): Promise<Process> {
  const script = `${import.meta.dirname}/deaf.py`;
  const deaf = new Process([python ?? "", script, String(port), String(count)], { stdin: "piped" });
  await deaf.printed(/ready/);
  await idle(pid);
  return deaf;
}

Deno.test({
  name: "silent, trickling and deaf clients are cut at their deadlines and slow nobody",
  ignore: !linux || python === undefined,
  async fn() {
    const limits = ["--idle-timeout", "4s", "--request-timeout", "4s"];
    const { process, port } = await startServer(["calc-server", "--json", ...limits]);
    await using _process = process;
    const { pid } = process.child;
    const usual = await quantile(port, 0.5);
    const descriptors = countDescriptors(pid) ?? 0;

    const hostile: TestConnection[] = [];
    for (let count = 0; count < 40; count++) hostile.push(await TestConnection.open(port));
    const trickling = hostile.slice(20).map(async (connection) => {
      await connection.send("1 1 +\n");
      while (await connection.send("1").then(() => true, () => false)) await silence(200);
    });
    await using _deaf = await startDeaf(port, 20, pid);
    assertLess(await quantile(port, 0.5), usual * 1.2 + JITTER_MS);
    await Promise.all(trickling);
    await until(() => (countDescriptors(pid) ?? 0) <= descriptors, "all are cut");
    for (const connection of hostile) connection[Symbol.dispose]();

    const { stdout } = await process.stop();
    const closed = stdout.split("\n").filter((line) => line.includes('"closed"'))
      .map((line): { reason: string; durationMs: number } => JSON.parse(line));
    for (const reason of ["idle timeout", "request timeout", "reply timeout"]) {
      const times = closed.filter((event) => event.reason === reason)
        .map(({ durationMs }) => durationMs);
      assertEquals(times.length, 20, reason);
      assertGreater(Math.min(...times), 4_000, `${reason} before its time`);
      // Deaf ones take some replies at first: their time starts when they take none.
      const late = reason === "reply timeout" ? 8_000 : 2_500;
      assertLess(Math.max(...times), 4_000 + late, `${reason} late`);
    }
  },
});

Deno.test({
  name: "500 clients that never read hold at most 1 MB each and do not slow the others",
  ignore: !linux || python === undefined,
  async fn() {
    // A long reply to a short request fills the kernel's buffers soonest.
    const reply = "x".repeat(1_000);
    const flags = ["--reply", reply, "--request-timeout", "1m"];
    const { process, port } = await startServer(["message-server", ...flags]);
    await using _process = process;
    const { pid } = process.child;
    const exchange = { request: "hi", reply };
    const usual = await quantile(port, 0.99, exchange);
    await using _some = await startDeaf(port, 100, pid);
    const memory = await memoryOf(pid);
    await using _more = await startDeaf(port, 400, pid);
    assertLess((await memoryOf(pid) - memory) / 400, 1_000);
    const limit = usual * 2 + JITTER_MS;
    await until(async () => await quantile(port, 0.99, exchange) < limit, `p99 under ${limit} ms`);
  },
});
