import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import type { SocketEvent } from "../sockets/socket_events.ts";
import { service as calc } from "../services/calc.ts";
import type { Server } from "../services/server/server.ts";
import { serve } from "../services/server/stream_server.ts";
import {
  backAtBaseline,
  callsBeforeAnswer,
  countDescriptors,
  FloodingConnection,
  linux,
  probe,
  python,
  python3,
  run,
  signalTest,
  startServer,
  TestConnection,
  testWith,
  TURN,
} from "./harness/mod.ts";

const resets = `${import.meta.dirname}/harness/resets.py`;
const portOf = (server: Server): number => server.port ?? 0;

/** Connections that this host's kernel has seen reset since it started. */
function countResets(): number {
  const [names = [], values = []] = Deno.readTextFileSync("/proc/net/snmp").split("\n")
    .filter((line) => line.startsWith("Tcp:")).map((line) => line.split(" "));
  return Number(values[names.indexOf("EstabResets")]);
}

testWith(
  [linux, python3],
  "after 5,000 connections are reset before they are accepted, the next is served",
  async () => {
    let accepted = 0;
    await using server = await serve(calc, { port: 0, events: { connected: () => accepted++ } });
    const port = portOf(server);
    await probe(port);
    const before = countResets();
    for (let round = 0; round < 5; round++) {
      // outputSync blocks the event loop, so none is accepted before it is reset.
      const args = [resets, String(port), "1000"];
      assert(new Deno.Command(python(), { args }).outputSync().success);
      await probe(port);
    }
    assertGreaterOrEqual(countResets() - before, 5_000, "all of them were reset");
    assertEquals(accepted, 6, "none of them counts as a connection");
  },
);

testWith(
  [linux, python3],
  "a connection reset in the middle of a request or an answer affects no other",
  async () => {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    await probe(port);
    const before = countDescriptors(process.pid);
    for (const when of ["accept", "read", "write"]) {
      const resetsBefore = countResets();
      const { code, stderr } = await run([python(), resets, String(port), "5000", when]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertGreaterOrEqual(countResets() - resetsBefore, 5_000, "all of them were reset");
      await probe(port);
    }
    await backAtBaseline(before, process.pid);
    const { code, stderr } = await process.stop();
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  },
);

signalTest("beyond --max-connections a client is told that the server is full", async () => {
  const { process, port } = await startServer(["calc-server", "--max-connections", "50"]);
  await using _process = process;
  const before = countDescriptors(process.child.pid);
  const connections: TestConnection[] = [];
  try {
    for (let count = 0; count < 100; count++) connections.push(await TestConnection.open(port));
    const replies = await Promise.all(connections.map(async (connection) => {
      await connection.send("1 1 +\n").catch(() => {}); // a rejected client may be closed already
      return await connection.receive();
    }));
    assertEquals(replies.filter((reply) => reply === "Sum of 1 and 1 is 2\n").length, 50);
    assertEquals(replies.filter((reply) => reply === "Error: server is full\n").length, 50);
  } finally {
    for (const connection of connections) connection[Symbol.dispose]();
  }
  await backAtBaseline(before, process.child.pid);
  await probe(port);
  const { stderr } = await process.stop();
  assertLess(stderr.split("\n").length, 10, "notices are rate-limited");
});

Deno.test("a client that reads no replies does not slow the others", async () => {
  const calls: SocketEvent[] = [];
  await using server = await serve(calc, {
    port: 0,
    requestTimeout: 60_000,
    trace: (event) => calls.push(event),
  });
  const port = portOf(server);
  using deaf = await FloodingConnection.open(port);
  using honest = await TestConnection.open(port);
  for (let round = 0; round < 200; round++) {
    await honest.send("10 20 +\n");
    assertLessOrEqual(await callsBeforeAnswer(honest, calls), 2 * TURN);
  }
  assert(deaf.open, "the flood continued meanwhile");
  deaf[Symbol.dispose]();
  await deaf.flood;
});
