import { assert, assertEquals } from "@std/assert";
import { netdemoCommand, Process, signalTest, TestConnection, until } from "./harness.ts";

/** A message server in a process of its own whose stdout is the test's to misuse. */
async function startMessageServer(): Promise<{
  child: Deno.ChildProcess;
  reader: ReadableStreamDefaultReader<Uint8Array>;
  port: number;
}> {
  const child = new Deno.Command(netdemoCommand[0] ?? "", {
    args: [...netdemoCommand.slice(1), "message-server", "--port", "0"],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("(tcp)\n")) text += new TextDecoder().decode((await reader.read()).value);
  return { child, reader, port: Number(/:(\d+)/.exec(text)?.[1]) };
}

/** Sends messages over connections of their own; each must be answered. */
async function sendMessages(port: number, count: number, message: string): Promise<void> {
  for (let round = 0; round < count; round++) {
    using connection = await TestConnection.open(port);
    await connection.send(`${message}\n`);
    assertEquals(await connection.receive(), "Thanks...\n");
  }
}

signalTest("a server whose stdout is stalled keeps answering, and stops when told", async () => {
  const { child, reader, port } = await startMessageServer();
  try {
    // From here on nobody reads: 6 MB of messages fill the pipe and the queue.
    await sendMessages(port, 100, "x".repeat(60_000));
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    const stderr = await new Response(child.stderr).text();
    assert(/^netdemo: \d+ lines could not be written to stdout\n$/.test(stderr), stderr);
  } finally {
    await reader.cancel();
  }
});

signalTest(
  "a server whose stdout is closed keeps answering, and tells how much was lost",
  async () => {
    const { child, reader, port } = await startMessageServer();
    await reader.cancel();
    await sendMessages(port, 20, "Hello");
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    assertEquals(
      await new Response(child.stderr).text(),
      "netdemo: 40 lines could not be written to stdout\n",
    );
  },
);

Deno.test({
  name: "a server whose stdout is full keeps answering, and tells how much was lost",
  ignore: Deno.build.os !== "linux", // /dev/full
  async fn() {
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
});
