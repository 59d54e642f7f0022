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
} from "./harness/mod.ts";
import { terminal } from "./harness/terminal.ts";

/** Errors of accept(2) that leave the listener usable. */
const acceptErrors = ["ECONNABORTED", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM", "EPROTO"];

for (const error of acceptErrors) {
  testWith([strace], `a server keeps serving after accept fails with ${error}`, async () => {
    // The first call finds no client; the next three find one, and fail.
    const inject = `inject=accept4:error=${error}:when=2..4`;
    await using server = new Straced(["trace=accept4", inject], [
      ...netdemoCommand,
      ...["calc-server", "--host", "127.0.0.1", "--port", "0"],
    ]);
    const [, port] = await server.process.printed(/Listening on 127\.0\.0\.1:(\d+)/);
    for (let round = 0; round < 10; round++) await probe(Number(port));
    const failed = server.calls().filter(({ result }) => result.endsWith("(INJECTED)"));
    assertEquals(failed.length, 3, "the fault was injected");
    for (const { result } of failed) assert(result.startsWith(`-1 ${error} `), result);
  });
}

signalTest("a server that was suspended cuts no client for the silence meanwhile", async () => {
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

  // From here on the deadlines hold again.
  const started = performance.now();
  assertEquals(await idle.receiveAll(), "");
  assertGreater(performance.now() - started, 900);
  for (const connection of [busy, classic]) connection[Symbol.dispose]();
  await probe(port);
  await backAtBaseline(before, process.child.pid);
});

Deno.test("deadlines use the monotonic clock: no networking module uses Date", async () => {
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
