import { assertEquals, assertMatch } from "@std/assert";
import {
  linux,
  netdemoCommand,
  Process,
  signalTest,
  startServer,
  TestConnection,
  testWith,
  until,
} from "./harness/mod.ts";

/** Sends messages over connections of their own; each must be answered. */
async function sendMessages(port: number, count: number, message: string): Promise<void> {
  for (let round = 0; round < count; round++) {
    using connection = await TestConnection.open(port);
    await connection.send(`${message}\n`);
    assertEquals(await connection.receive(), "Thanks...\n");
  }
}

signalTest("a server whose stdout is stalled keeps answering, and stops on a signal", async () => {
  const { process, port } = await startServer(["message-server"]);
  await using _process = process;
  process.stallStdout();
  // 6 MB of messages fill the pipe and the queue.
  await sendMessages(port, 100, "x".repeat(60_000));
  process.kill("SIGTERM");
  await process.child.status; // before stdout is read again
  const { code, stderr } = await process.ended();
  assertEquals(code, 0);
  assertMatch(stderr, /^netdemo: \d+ lines could not be written to stdout\n$/);
});

signalTest(
  "a server whose stdout is closed keeps answering, and reports how much was lost",
  async () => {
    const { process, port } = await startServer(["message-server"]);
    await using _process = process;
    await process.closeStdout();
    await sendMessages(port, 20, "x".repeat(20_000));
    const { code, stderr } = await process.stop();
    assertEquals(code, 0);
    // A read that was pending in this process may still have taken the first 64 KiB.
    assertMatch(stderr, /^netdemo: (?:2\d|3\d|40) lines could not be written to stdout\n$/);
  },
);

testWith(
  [linux], // its /dev/full
  "a server whose stdout is full keeps answering, and reports how much was lost",
  async () => {
    const folder = await Deno.makeTempDir();
    const portFile = `${folder}/port`;
    try {
      const args = ["message-server", "--port", "0", "--port-file", portFile];
      const command = ["sh", "-c", 'exec "$@" > /dev/full', "sh", ...netdemoCommand, ...args];
      await using process = new Process(command);
      await until(() => Deno.stat(portFile).then(() => true, () => false), "the server listens");
      await sendMessages(Number(await Deno.readTextFile(portFile)), 20, "Hello");
      const { code, stderr } = await process.stop();
      assertEquals(code, 0);
      assertEquals(stderr, "netdemo: 42 lines could not be written to stdout\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
