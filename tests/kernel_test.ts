import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  backAtBaseline,
  countDescriptors,
  netdemoCommand,
  probe,
  pythonTest,
  signalTest,
  silence,
  startServer,
  strace,
  Straced,
  TestConnection,
  testWith,
} from "./harness.ts";
import { terminal } from "./terminal.ts";

/** What accept(2) may fail with although the listener is sound. */
const acceptErrors = ["ECONNABORTED", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM", "EPROTO"];

for (const error of acceptErrors) {
  testWith([strace], `a server serves on after accept has failed with ${error}`, async () => {
    // The first is the try that finds nobody; the next three find a client, and fail.
    const inject = `inject=accept4:error=${error}:when=2..4`;
    await using server = new Straced(["trace=accept4", inject], [
      ...netdemoCommand,
      ...["calc-server", "--host", "127.0.0.1", "--port", "0"],
    ]);
    const [, port] = await server.process.printed(/Listening on 127\.0\.0\.1:(\d+)/);
    for (let round = 0; round < 10; round++) await probe(Number(port));
    const failed = server.calls().filter(({ result }) => result.endsWith("(INJECTED)"));
    assertEquals(failed.length, 3, "the fault was to be injected");
    for (const { result } of failed) assert(result.startsWith(`-1 ${error} `), result);
  });
}

signalTest("a machine that slept cuts nobody for a silence that was not theirs", async () => {
  const limits = ["--idle-timeout", "1s", "--request-timeout", "1s"];
  const { process, port } = await startServer(["calc-server", ...limits]);
  await using _process = process;
  await probe(port);
  const before = countDescriptors(process.child.pid);
  using idle = await TestConnection.open(port);
  using busy = await TestConnection.open(port);
  using classic = await TestConnection.open(port);
  await busy.send("1 1 +\n10 2");
  assertEquals(await busy.receive(), "Sum of 1 and 1 is 2\n");

  process.child.kill("SIGSTOP");
  await classic.send("10 2");
  await silence(1_500);
  await classic.send("0 +");
  process.child.kill("SIGCONT");

  await busy.send("0 +\n");
  assertEquals(await busy.receive(), "Sum of 10 and 20 is 30\n");
  await idle.send("10 20 +\n");
  assertEquals(await idle.receive(), "Sum of 10 and 20 is 30\n");
  assertEquals(await classic.receive(), "Sum of 10 and 20 is 30", "cut in two by the sleep");

  // The deadlines hold all the same from here on.
  const started = performance.now();
  assertEquals(await idle.receiveAll(), "");
  assertGreater(performance.now() - started, 900);
  for (const connection of [busy, classic]) connection[Symbol.dispose]();
  await probe(port);
  await backAtBaseline(before, process.child.pid);
});

Deno.test("deadlines are read from the monotonic clock: nothing of the wire knows the date", async () => {
  for (const room of ["services/server", "clients/call", "sockets", "protocol"]) {
    for await (const { name, isFile } of Deno.readDir(`${import.meta.dirname}/../${room}`)) {
      if (!isFile) continue;
      const source = await Deno.readTextFile(`${import.meta.dirname}/../${room}/${name}`);
      assert(!/\bDate\b/.test(source), `${room}/${name}`);
    }
  }
});

pythonTest("Ctrl-C at a terminal stops a server with exit code 0", async () => {
  const screen = await terminal(["calc-server", "--port", "0"], ["^C"], { prompt: "(tcp)" });
  assert(screen.startsWith("Calculator Server is running....\nListening on "), screen);
  assert(screen.endsWith("exit code 0\n"), screen);
});
