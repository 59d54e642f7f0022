import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import type { SocketEvent } from "../sockets/socket_events.ts";
import { service as calc } from "../services/calc.ts";
import { serve } from "../services/server/stream_server.ts";
import {
  callsBeforeAnswer,
  countDescriptors,
  FloodingConnection,
  fromSource,
  linux,
  memoryOf,
  openFiles,
  probe,
  Process,
  python,
  python3,
  silence,
  startServer,
  TestConnection,
  testWith,
  TURN,
  until,
} from "./harness/mod.ts";

const manyFiles = openFiles(10_200);

/** Opens the given number of connections, some at a time. */
async function openMany(port: number, count: number): Promise<TestConnection[]> {
  const connections: TestConnection[] = [];
  while (connections.length < count) {
    const some = Math.min(100, count - connections.length);
    const opening = Array.from({ length: some }, () => TestConnection.open(port));
    connections.push(...await Promise.all(opening));
  }
  return connections;
}

/** Nanoseconds of CPU time that a process uses for an exchange, at best. */
async function costOfExchange(pid: number, port: number): Promise<number> {
  const EXCHANGES = 200;
  const used = (): number => Number(Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ")[0]);
  using connection = await TestConnection.open(port);
  const costs: number[] = [];
  for (let round = 0; round < 5; round++) { // a busy machine's caches are sometimes cold
    const before = used();
    for (let exchange = 0; exchange < EXCHANGES; exchange++) {
      await connection.send("10 20 +\n");
      assertEquals(await connection.receiveLines(1), ["Sum of 10 and 20 is 30"]);
    }
    costs.push((used() - before) / EXCHANGES);
  }
  return Math.min(...costs);
}

testWith([linux, manyFiles], "10,000 idle connections cost at most 12 kB each", async () => {
  const { process, port } = await startServer(["calc-server", "--max-connections", "10100"]);
  await using _process = process;
  const { pid } = process;
  await costOfExchange(pid, port); // warms it up
  const before = await memoryOf(pid);
  const descriptors = countDescriptors(pid) ?? 0;
  const connections = await openMany(port, 10_000);
  try {
    await until(() => (countDescriptors(pid) ?? 0) > 10_000, "all are accepted");
    assertLess((await memoryOf(pid) - before) / 10_000, 12);
    await probe(port);
  } finally {
    for (const connection of connections) connection[Symbol.dispose]();
  }
  await until(() => (countDescriptors(pid) ?? 0) <= descriptors, "all descriptors are back");
  await probe(port);
});

testWith(
  // Deno 2.5 itself uses four times as much with 10,000 connections open.
  [linux, manyFiles, fromSource],
  "10,000 idle connections do not make an exchange more expensive",
  async () => {
    const { process, port } = await startServer(["calc-server", "--max-connections", "10100"]);
    await using _process = process;
    await costOfExchange(process.pid, port); // warms it up
    const usual = await costOfExchange(process.pid, port);
    const connections = await openMany(port, 10_000);
    try {
      // Looking at each of them once, however briefly, would cost more.
      assertLess(await costOfExchange(process.pid, port), usual * 3);
    } finally {
      for (const connection of connections) connection[Symbol.dispose]();
    }
  },
);

testWith(
  [linux, manyFiles],
  "a stopping server answers all requests received from 5,000 connections",
  async () => {
    const { process, port } = await startServer(["calc-server", "--grace", "1m"]);
    await using _process = process;
    const connections = await openMany(port, 5_000);
    try {
      for (const connection of connections) await connection.send("10 20 +\n");
      for (const connection of connections) await connection.receiveLines(1);
      for (const connection of connections) await connection.send("10 20 +\n".repeat(20));
      const ended = process.stop("SIGTERM");
      for (const connection of connections) {
        assertEquals(await connection.receiveAll(), "Sum of 10 and 20 is 30\n".repeat(20));
      }
      assertEquals((await ended).code, 0);
    } finally {
      for (const connection of connections) connection[Symbol.dispose]();
    }
  },
);

testWith(
  [linux],
  "50,000 short connections leak no descriptor and no memory",
  async () => {
    const { process, port } = await startServer(["calc-server", "--host", "0.0.0.0"]);
    await using _process = process;
    const { pid } = process;
    // Eight addresses of the loopback network: one has too few ports.
    const batch = async (): Promise<number> => {
      let left = 10_000;
      await Promise.all(Array.from({ length: 64 }, async (_, worker) => {
        const hostname = `127.0.0.${1 + worker % 8}`;
        while (left-- > 0) {
          using connection = await TestConnection.open(port, hostname);
          await connection.send("10 20 +\n");
          assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
        }
      }));
      return await memoryOf(pid);
    };
    await batch(); // the runtime makes its one-time allocations
    const descriptors = countDescriptors(pid) ?? 0;
    // Memory grows until garbage is collected often enough; a leak grows with every batch.
    const memory: number[] = [];
    const grows = (): boolean => Math.max(...memory.slice(0, -1)) * 1.02 < (memory.at(-1) ?? 0);
    while (memory.length < 4 || (grows() && memory.length < 10)) memory.push(await batch());
    assert(!grows(), `kB after each batch: ${memory}`);
    await until(() => (countDescriptors(pid) ?? 0) <= descriptors + 2, "descriptors are back");
    await probe(port);
  },
);

Deno.test("silent, trickling and deaf clients are cut off at their deadlines and slow no other", async () => {
  const EACH = 20;
  const LIMIT_MS = 500;
  const calls: SocketEvent[] = [];
  const closed: { reason: string; durationMs: number }[] = [];
  await using server = await serve(calc, {
    port: 0,
    idleTimeout: LIMIT_MS,
    requestTimeout: LIMIT_MS,
    trace: (event) => calls.push(event),
    events: {
      closed: ({ acceptedAt }, reason) =>
        closed.push({ reason, durationMs: performance.now() - acceptedAt }),
    },
  });
  const port = server.port ?? 0;

  const silent = await openMany(port, EACH);
  const trickling = await openMany(port, EACH);
  const trickles = trickling.map(async (connection) => {
    await connection.send("1 1 +\n");
    while (await connection.send("1").then(() => true, () => false)) await silence(200);
  });
  const deaf: FloodingConnection[] = [];
  while (deaf.length < EACH) deaf.push(await FloodingConnection.open(port));

  using honest = await TestConnection.open(port);
  while (closed.length < 3 * EACH) {
    await honest.send("10 20 +\n");
    assertLessOrEqual(await callsBeforeAnswer(honest, calls), 2 * TURN);
    calls.length = 0;
  }
  await Promise.all(trickles);
  for (const connection of [...silent, ...trickling, ...deaf]) connection[Symbol.dispose]();
  for (const connection of deaf) await connection.flood;

  for (const reason of ["idle timeout", "request timeout", "reply timeout"]) {
    const times = closed.filter((event) => event.reason === reason)
      .map(({ durationMs }) => durationMs);
    assertEquals(times.length, EACH, reason);
    assertGreaterOrEqual(Math.min(...times), LIMIT_MS, `${reason} too early`);
  }
});

/** Waits until a process is idle. */
async function idle(pid: number): Promise<void> {
  const time = async (): Promise<string> =>
    (await Deno.readTextFile(`/proc/${pid}/stat`)).split(" ").slice(13, 15).join();
  await until(async () => {
    const before = await time();
    await silence(200);
    return before === await time();
  }, "the server has answered what it could");
}

/** Starts clients that keep asking and never read; waits until the server can send no more. */
async function startDeaf(port: number, count: number, pid: number): Promise<Process> {
  const script = `${import.meta.dirname}/harness/deaf.py`;
  const deaf = new Process([python(), script, String(port), String(count)], { stdin: "piped" });
  await deaf.printed(/ready/);
  await idle(pid);
  return deaf;
}

testWith(
  [linux, python3],
  "500 clients that never read hold at most 1 MB each, and others are answered",
  async () => {
    // A long reply to a short request fills the kernel's buffers fastest.
    const flags = ["--reply", "x".repeat(1_000), "--request-timeout", "1m"];
    const { process, port } = await startServer(["message-server", ...flags]);
    await using _process = process;
    const { pid } = process;
    const before = await memoryOf(pid);
    await using _deaf = await startDeaf(port, 500, pid);
    assertLess((await memoryOf(pid) - before) / 500, 1_000);
    using honest = await TestConnection.open(port);
    for (let round = 0; round < 100; round++) {
      await honest.send("hi\n");
      assertEquals(await honest.receiveLines(1), ["x".repeat(1_000)]);
    }
  },
);
