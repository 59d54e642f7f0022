/**
 * The lesson's original programs. Unlike those in examples/lesson/, these servers take any free port
 * and leave connections open, and these clients print the exact bytes that they receive.
 */
import { assertEquals, assertLess } from "@std/assert";
import { netdemo, Process, pythonTest, startServer } from "./harness/mod.ts";

const lesson = (name: string): string => `${import.meta.dirname}/classic/${name}.py`;

/** Runs one of the lesson's clients against a netdemo server; returns what both print. */
async function pairWithClient(
  python: string,
  name: "hello" | "message" | "calc",
  ...commands: string[]
): Promise<{ client: string; server: string }> {
  const { process, port } = await startServer([`${name}-server`]);
  await using _process = process;
  await using client = new Process([python, lesson(`${name}_client`), String(port), ...commands]);
  const { stdout } = await client.ended();
  return { client: stdout, server: (await process.stop()).stdout };
}

/** Starts one of the lesson's servers; returns it with its port. */
async function startLesson(
  python: string,
  name: string,
): Promise<{ server: Process; port: string }> {
  const server = new Process([python, lesson(`${name}_server`)], { stdin: "piped" });
  const [, port = ""] = await server.printed(/^port (\d+)\n/);
  return { server, port };
}

pythonTest("the lesson's hello client connects to hello-server", async (python) => {
  const { client, server } = await pairWithClient(python, "hello");
  assertEquals(client, "b''\n");
  assertEquals(server.split("\n").slice(0, 1), ["Server is Running...."]);
  assertEquals(server.split("\n").slice(2), ["Connection is established...", ""]);
});

pythonTest("the lesson's message client gets its thanks, byte for byte", async (python) => {
  const { client, server } = await pairWithClient(python, "message");
  assertEquals(client, "b'Thanks...'\n");
  assertEquals(server.split("\n").slice(2), ["Connection Established", "Hello Server HBD", ""]);
});

pythonTest("the lesson's calculator client gets its answers, byte for byte", async (python) => {
  const commands = ["10 20 +", "10 5 -", "6 7 *", "10 4 /", "10 5 /"];
  const { client } = await pairWithClient(python, "calc", ...commands);
  assertEquals(client.split("\n"), [
    "b'Sum of 10 and 20 is 30'",
    "b'Diff of 10 and 5 is 5'",
    "b'Product of 6 and 7 is 42'",
    "b'Div of 10 and 4 is 2.5'",
    "b'Div of 10 and 5 is 2.0'",
    "",
  ]);
});

pythonTest("hello-client connects to the lesson's hello server", async (python) => {
  const { server, port } = await startLesson(python, "hello");
  await using _server = server;
  assertEquals(await netdemo(["hello-client", "--port", port]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  await server.printed(/Connection is established\.\.\.\n/);
});

pythonTest(
  "message-client gets its thanks from a server that leaves the connection open",
  async (python) => {
    const { server, port } = await startLesson(python, "message");
    await using _server = server;
    const ended = await netdemo(["message-client", "--port", port]);
    assertEquals(ended, { code: 0, stdout: "Thanks...\n", stderr: "" });
    await server.printed(/Connection Established\nHello Server HBD\n/);
  },
);

pythonTest(
  "calc-client gets its answer from a server that leaves the connection open",
  async (python) => {
    const { server, port } = await startLesson(python, "calc");
    await using _server = server;
    const started = performance.now();
    const ended = await netdemo(["calc-client", "--port", port, "10", "20", "+"]);
    assertEquals(ended, { code: 0, stdout: "Sum of 10 and 20 is 30\n", stderr: "" });
    assertLess(performance.now() - started, 5_000, "it waited for the timeout");
  },
);

pythonTest("calc-client asks the lesson's server one command at a time", async (python) => {
  const { server, port } = await startLesson(python, "calc");
  await using _server = server;
  const ended = await netdemo(["calc-client", "--port", port], "10 20 +\n10 5 -\n6 7 *\n");
  assertEquals(ended, {
    code: 0,
    stdout: "Sum of 10 and 20 is 30\nDiff of 10 and 5 is 5\nProduct of 6 and 7 is 42\n",
    stderr: "",
  });
});
