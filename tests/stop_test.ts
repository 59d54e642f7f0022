import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import {
  linux,
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  python,
  python3,
  root,
  signalTest,
  startServer,
  TestConnection,
  testWith,
  tool,
  until,
} from "./harness/mod.ts";
import { session } from "./harness/terminal_session.ts";

signalTest("SIGHUP, as when a terminal closes, stops the server like SIGTERM", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  using connection = await TestConnection.open(port);
  await connection.send("10 20 +\n".repeat(100));
  const ended = process.stop("SIGHUP");
  assertEquals(await connection.receiveAll(), "Sum of 10 and 20 is 30\n".repeat(100));
  const { code, stderr } = await ended;
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

signalTest("a stop that takes a while reports what it waits for", async () => {
  for (const [count, what] of [[1, "1 connection is"], [3, "3 connections are"]] as const) {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const connections: TestConnection[] = [];
    for (let left = count; left > 0; left--) {
      const connection = await TestConnection.open(port);
      connections.push(connection);
      await connection.send("1 1 +\n10 2");
      await connection.receive();
    }
    process.kill("SIGINT");
    await process.reported(/Stopping/);
    for (const connection of connections) {
      await connection.send("0 +\n");
      assertEquals(await connection.receiveAll(), "Sum of 10 and 20 is 30\n");
      connection[Symbol.dispose]();
    }
    assertEquals(
      (await process.ended()).stderr,
      `Stopping; ${what} still open. Press Ctrl-C again to end at once.\n`,
    );
  }
});

Deno.test("--once with --max-time is TIMEOUT if no connection or datagram arrives", async () => {
  const cases = [
    { flags: [], missing: "client connected" },
    { flags: ["--udp"], missing: "datagram arrived" },
  ];
  for (const { flags, missing } of cases) {
    const { code, stderr } = await netdemoInProcess(
      ["calc-server", "--port", "0", "--once", "--max-time", "100ms", ...flags],
    );
    assertEquals(code, 124);
    assertMatch(
      stderr,
      new RegExp(`^netdemo: TIMEOUT: no ${missing} within 100ms\\nhint: \\w`),
    );
  }
  await using process = new Process(
    [...netdemoCommand, "calc-server", "--port=0", "--once", "--max-time=600ms"],
  );
  const [, port] = await process.printed(/Listening on \S+?:(\d+) /);
  using _connection = await TestConnection.open(Number(port));
  assertEquals((await process.ended()).code, 0);
});

/** Runs a test with a folder of its own. */
function folderTest(name: string, fn: (folder: string) => Promise<void>): void {
  signalTest(name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await fn(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

folderTest("a server removes its own port file, but not another server's", async (folder) => {
  const path = `${folder}/port`;
  const first = await startServer(["calc-server", "--port-file", path]);
  await using _first = first.process;
  const second = await startServer(["calc-server", "--port-file", path]);
  await using _second = second.process;
  assertEquals((await first.process.stop()).code, 0);
  assertEquals(await Deno.readTextFile(path), `${second.port}\n`);
  assertEquals((await second.process.stop()).code, 0);
  assertEquals([...Deno.readDirSync(folder)], []);
});

folderTest("--port-file follows no symbolic link", async (folder) => {
  const precious = `${folder}/precious`;
  await Deno.writeTextFile(precious, "precious");
  const path = `${folder}/port`;
  await Deno.symlink(precious, path);
  const { process, port } = await startServer(["calc-server", "--port-file", path]);
  await using _process = process;
  assertEquals(await Deno.readTextFile(path), `${port}\n`);
  assertEquals(await Deno.readTextFile(precious), "precious");
  assertEquals((await process.stop()).code, 0);
  assertEquals(await Deno.readTextFile(precious), "precious");
});

folderTest("--port-file is written under a name that others can't guess", async (folder) => {
  const path = `${folder}/port`;
  const precious = `${folder}/precious`;
  await Deno.writeTextFile(precious, "precious");
  // A shell plants a link at the name with its process ID, then becomes the server.
  const script = `ln -s "$1" "$2.$$"; shift 2; exec "$@"`;
  const server = [...netdemoCommand, "calc-server", "--port", "0", "--port-file", path];
  await using process = new Process(["sh", "-c", script, "sh", precious, path, ...server]);
  await process.printed(/Listening/);
  await until(() => Deno.lstatSync(path).isFile, "the port file exists");
  assertEquals((await process.stop()).code, 0);
  assertEquals(await Deno.readTextFile(precious), "precious");
});

folderTest("--port-file replaces only a regular file", async (folder) => {
  const { code, stderr } = await netdemo(["calc-server", "--port=0", "--port-file", folder]);
  assertEquals(code, 1);
  assertMatch(stderr, /^netdemo: ERROR: cannot write the port file .*: it is not a file\nhint: /);
  assert(Deno.lstatSync(folder).isDirectory);
});

signalTest("a stop answers every client that had connected, accepted or not", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  process.kill("SIGSTOP");
  const connections: TestConnection[] = [];
  for (let left = 400; left > 0; left--) {
    const connection = await TestConnection.open(port);
    await connection.send("10 20 +\n");
    connections.push(connection);
  }
  process.kill("SIGTERM");
  process.kill("SIGCONT");
  for (const connection of connections) {
    assertEquals(await connection.receiveAll(), "Sum of 10 and 20 is 30\n");
    connection[Symbol.dispose]();
  }
  assertEquals((await process.ended()).code, 0);
});

signalTest("a stop answers a request that arrived while another was being answered", async () => {
  const { process, port } = await startServer(["lab-server"]);
  await using _process = process;
  using connection = await TestConnection.open(port);
  await connection.send("echo a\ndelay 300ms b\n");
  assertEquals(await connection.receiveLines(1), ["a"]);
  await connection.send("echo c\n");
  process.kill("SIGTERM");
  assertEquals(await connection.receiveAll(), "b\nc\n");
  assertEquals((await process.ended()).code, 0);
});

signalTest("--grace holds for clients that were turned away, too", async () => {
  const { process, port } = await startServer([
    ...["calc-server", "--max-connections", "1", "--grace", "0"],
  ]);
  await using _process = process;
  using accepted = await TestConnection.open(port);
  await accepted.send("1 1 +\n");
  await accepted.receiveLines(1);
  using turnedAway = await TestConnection.open(port);
  assertEquals(await turnedAway.receiveLines(1), ["Error: server is full"]);
  const started = performance.now();
  assertEquals((await process.stop()).code, 0);
  assertLess(performance.now() - started, 900); // else it lingers for a second
});

testWith(
  [linux, root, tool("unshare")],
  "as process 1 of a container, every command ends at once with 128 + the signal's number",
  async () => {
    const commands = [
      ["message-client", "127.0.0.1:PORT"],
      ["calc-client", "127.0.0.1:PORT", "1", "2", "+"],
      ["lab-client", "127.0.0.1:PORT", "whoami"],
      ["check", "127.0.0.1:PORT"],
      ["path", "--listen", "127.0.0.2:PORT", "127.0.0.1:PORT"],
    ];
    const signals = [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const;
    await Promise.all(commands.map(async (command, index) => {
      const [signal, code] = signals[index % signals.length]!;
      assertEquals(await endAsFirst(command, signal), code, command[0]);
    }));
  },
);

/** Starts a command as process 1, with a server that is silent; returns how a signal ends it. */
async function endAsFirst(command: readonly string[], signal: Deno.Signal): Promise<number> {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = command.map((arg) => arg.replace("PORT", `${silent.addr.port}`));
  const unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
  await using process = new Process([...unshare, ...netdemoCommand, ...args, "--timeout", "1h"]);
  using _connection = await silent.accept();
  const children = `/proc/${process.child.pid}/task/${process.child.pid}/children`;
  Deno.kill(Number(await Deno.readTextFile(children)), signal);
  return (await process.ended()).code;
}

testWith(
  [python3],
  "after Ctrl-C at a terminal, what is printed has a line of its own",
  async () => {
    const silent =
      "import socket, time\ns = socket.create_server(('127.0.0.1', 0))\ntime.sleep(99)";
    const table: readonly (readonly [args: readonly string[], seen: string, after: string])[] = [
      [["check", "127.0.0.1:1", "--for", "30s"], "waiting:", "NOT "],
      [["grade", "calc-server", "--", python(), "-c", silent], "ok   listens", "lesson 1 of "],
    ];
    for (const [args, seen, after] of table) {
      const screen = await session([...netdemoCommand, ...args], [
        ...[["see", seen], ["type", "\x03"], ["see", after]] as const,
      ]);
      assert(screen.includes(`^C\n${after}`), screen);
    }
  },
);
