import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  signalTest,
  startServer,
  TestConnection,
  until,
} from "./harness.ts";

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
  assertMatch(stderr, /^netdemo: ERROR: cannot write the port file: .* is not a file\nhint: /);
  assert(Deno.lstatSync(folder).isDirectory);
});
