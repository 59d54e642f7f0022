import { assert, assertEquals, assertMatch } from "@std/assert";
import { netdemo, silence, startServer, TestConnection, until } from "./harness.ts";

/** Workers share a port only on Linux: elsewhere the flag is a usage error. */
function workersTest(name: string, fn: () => Promise<void>): void {
  const ignore = Deno.build.os !== "linux";
  Deno.test({ name: ignore ? `${name} (skipped: needs Linux)` : name, ignore, fn });
}

/** The events that a server with --json has printed. */
function eventsOf(stdout: string): { event: string; connection?: number; requests?: number }[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

/** Listeners on the port of 127.0.0.1, as the kernel counts them. */
function countListeners(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return Deno.readTextFileSync("/proc/net/tcp").split("\n")
    .filter((line) => line.includes(` ${local} `) && / 0A /.test(line)).length;
}

workersTest("each worker listens on the one port, which nobody else can have", async () => {
  const { process, port } = await startServer(["calc-server", "--workers", "3"]);
  await using _process = process;
  assertEquals(countListeners(port), 3);
  for (const more of [[], ["--workers", "2"]]) {
    const { code, stderr } = await netdemo(["calc-server", "--port", String(port), ...more]);
    assertEquals(code, 15);
    assertMatch(stderr, /^netdemo: BIND: cannot listen on .*: the port is in use\n/);
  }
});

workersTest("workers answer as one server does: numbers, limit, reply and totals", async () => {
  const flags = ["--workers", "2", "--max-connections", "20", "--reply", "Danke", "--json"];
  const { process, port } = await startServer(["message-server", ...flags]);
  await using _process = process;
  const connections: TestConnection[] = [];
  try {
    for (let count = 0; count < 20; count++) {
      const connection = await TestConnection.open(port);
      connections.push(connection);
      await connection.send("Hello\n");
      assertEquals(await connection.receive(), "Danke\n");
    }
    using surplus = await TestConnection.open(port);
    assertEquals(await surplus.receiveAll(), "Error: server is full\n");
  } finally {
    for (const connection of connections) connection[Symbol.dispose]();
  }
  // Once they have left, others may come.
  await until(async () => {
    using connection = await TestConnection.open(port);
    await connection.send("Hello\n");
    return await connection.receive() === "Danke\n";
  }, "there is room again");

  const { code, stdout, stderr } = await process.stop();
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const events = eventsOf(stdout);
  const numbers = events.filter(({ event }) => event === "connection" || event === "rejected")
    .map(({ connection }) => connection ?? 0).sort((one, other) => one - other);
  assertEquals(numbers, numbers.map((_, index) => index + 1));
  const stopped = events.at(-1);
  assertEquals(stopped?.event, "stopped");
  assertEquals(stopped?.requests, 21);
});

/** Nanoseconds of processor time that each of a process's workers has had. */
function workerTimes(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => `/proc/${pid}/task/${name}`)
    .filter((task) => Deno.readTextFileSync(`${task}/comm`).startsWith("worker-"))
    .map((task) => Number(Deno.readTextFileSync(`${task}/schedstat`).split(" ")[0]));
}

workersTest("connections are spread over all workers", async () => {
  const { process, port } = await startServer(["calc-server", "--workers", "2"]);
  await using _process = process;
  const { pid } = process.child;
  const before = workerTimes(pid);
  assertEquals(before.length, 2);
  for (let count = 0; count < 100; count++) {
    using connection = await TestConnection.open(port);
    await connection.send("1 2 +\n");
    assertEquals(await connection.receive(), "Sum of 1 and 2 is 3\n");
  }
  // A connection costs over 0.04 ms; a worker that only looks at its deadlines next to nothing.
  const used = workerTimes(pid).map((time, index) => time - (before[index] ?? 0));
  assert(Math.min(...used) > Math.max(...used) / 5, `nanoseconds used: ${used}`);
});

workersTest("at a stop every worker answers what has arrived, and the exit code is 0", async () => {
  const { process, port } = await startServer(["calc-server", "--workers", "2", "--json"]);
  await using _process = process;
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => TestConnection.open(port)),
  );
  for (const connection of connections) {
    await connection.send("1 2 +\n");
    assertEquals(await connection.receive(), "Sum of 1 and 2 is 3\n");
  }
  for (const connection of connections) await connection.send("3 4 +\n".repeat(5));
  const ended = process.stop("SIGTERM");
  for (const connection of connections) {
    assertEquals(await connection.receiveAll(), "Sum of 3 and 4 is 7\n".repeat(5));
    connection[Symbol.dispose]();
  }
  const { code, stdout, stderr } = await ended;
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(eventsOf(stdout).at(-1)?.requests, 120);
});

workersTest("every event of busy workers is told, and no faster than it can be", async () => {
  const { process, port } = await startServer(["calc-server", "--workers", "2", "--json"]);
  await using _process = process;
  const asking = Array.from({ length: 16 }, async () => {
    using connection = await TestConnection.open(port);
    const sent = connection.send("1 2 +\n".repeat(5_000));
    assertEquals((await connection.receiveLines(5_000)).length, 5_000);
    await sent;
  });
  await Promise.all(asking);
  const { code, stdout } = await process.stop();
  assertEquals(code, 0);
  assertEquals(eventsOf(stdout).filter(({ event }) => event === "request").length, 80_000);
});

workersTest("a second signal ends the workers at once", async () => {
  const { process, port } = await startServer(["calc-server", "--workers", "2", "--grace", "1m"]);
  await using _process = process;
  using connection = await TestConnection.open(port);
  await connection.send("1 2"); // a request that never ends keeps it
  process.child.kill("SIGTERM");
  await until(() => countListeners(port) === 0, "it has stopped listening");
  await silence(100); // at once would be the same Ctrl-C, passed on by a launcher
  assertEquals((await process.stop("SIGINT")).code, 130);
});
