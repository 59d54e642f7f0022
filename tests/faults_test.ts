import { assert, assertEquals, assertLess } from "@std/assert";
import { service as calc } from "../services/calc.ts";
import type { Server } from "../services/server/server.ts";
import { serve } from "../services/server/stream_server.ts";
import {
  backAtBaseline,
  countDescriptors,
  netdemoCommand,
  probe,
  Process,
  pythonTest,
  signalTest,
  startServer,
  TestConnection,
  until,
} from "./harness.ts";

const resets = `${import.meta.dirname}/resets.py`;
const portOf = (server: Server): number => server.port ?? 0;

pythonTest(
  "5,000 connections reset before they are accepted: the next is served",
  async (python) => {
    await using server = serve(calc, { port: 0 });
    await probe(portOf(server));
    const before = countDescriptors();
    for (let round = 0; round < 5; round++) {
      // outputSync holds the event loop, so none of them is accepted before it is reset.
      const { success } = new Deno.Command(python, {
        args: [resets, String(portOf(server)), "1000"],
      }).outputSync();
      assert(success);
      await probe(portOf(server));
    }
    await backAtBaseline(before);
  },
);

pythonTest(
  "connections reset in the middle of a request or an answer end alone",
  async (python) => {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    await probe(port);
    const before = countDescriptors(process.child.pid);
    for (const when of ["accept", "read", "write"]) {
      const { success } = await new Deno.Command(python, {
        args: [resets, String(port), "5000", when],
      }).output();
      assert(success);
      await probe(port);
    }
    await backAtBaseline(before, process.child.pid);
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
      await connection.send("1 1 +\n").catch(() => {}); // who is turned away may be gone
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

Deno.test({
  name: "out of descriptors a server waits, and serves again once clients have left",
  ignore: Deno.build.os === "windows",
  async fn() {
    const command = ["sh", "-c", 'ulimit -n 150; exec "$@"', "sh", ...netdemoCommand];
    await using process = new Process([...command, "calc-server", "--port", "0", "--json"]);
    const [, text] = await process.printed(/"port":(\d+)/);
    const port = Number(text);
    const before = countDescriptors(process.child.pid);
    const connections: TestConnection[] = [];
    for (let count = 0; count < 300; count++) connections.push(await TestConnection.open(port));
    await process.printed(/"event":"accept-failed"/);
    for (const connection of connections) connection[Symbol.dispose]();
    const left = performance.now();
    await until(() => probe(port).then(() => true, () => false), "served again");
    assertLess(performance.now() - left, 2_000);
    await backAtBaseline(before, process.child.pid);
    const { code, stdout, stderr } = await process.stop();
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const tries = stdout.split("\n").filter((line) => line.includes('"accept-failed"'))
      .map((line) => Date.parse(JSON.parse(line).time));
    const inOneSecond = tries.map((first) =>
      tries.filter((time) => time >= first && time < first + 1_000)
    );
    assertLess(Math.max(...inOneSecond.map((times) => times.length)), 21);
  },
});

Deno.test("a client that takes no replies does not slow the others", async () => {
  const { process, port } = await startServer(["calc-server", "--request-timeout", "3s"]);
  await using _process = process;
  const before = countDescriptors(process.child.pid);
  using deaf = await TestConnection.open(port);
  let flooding = true;
  const flood = deaf.send("1 1 +\n".repeat(4_000_000)).catch(() => {}).finally(() =>
    flooding = false
  );
  using honest = await TestConnection.open(port);
  const waits: number[] = [];
  for (let count = 0; count < 200; count++) {
    const started = performance.now();
    await honest.send("10 20 +\n");
    assertEquals(await honest.receive(), "Sum of 10 and 20 is 30\n");
    waits.push(performance.now() - started);
  }
  assertLess(waits.sort((a, b) => a - b)[100] ?? 0, 20);
  assert(flooding, "the flood was to go on meanwhile");
  for (const connection of [deaf, honest]) connection[Symbol.dispose]();
  await flood;
  await probe(port);
  await backAtBaseline(before, process.child.pid);
});
