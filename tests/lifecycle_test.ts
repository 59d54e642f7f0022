import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { service as calc } from "../services/calc.ts";
import { service as message } from "../services/message.ts";
import { serve } from "../services/server/stream_server.ts";
import {
  ipv6,
  netdemoInProcess,
  Process,
  signalTest,
  silence,
  startServer,
  TestConnection,
  until,
} from "./harness/mod.ts";

async function isRefused(port: number): Promise<boolean> {
  try {
    (await TestConnection.open(port))[Symbol.dispose]();
    return false;
  } catch {
    return true;
  }
}

const SUM = "Sum of 10 and 20 is 30\n";

signalTest("SIGINT and SIGTERM stop an idle server at once with exit code 0", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const where = `127.0.0.1:${port}${ipv6.isMet() ? ` and [::1]:${port}` : ""}`;
    assertEquals(await process.stop(signal), {
      code: 0,
      stdout: `Calculator Server is running....\nListening on ${where} (tcp)\n`,
      stderr: "",
    });
  }
});

signalTest(
  "a stopped server answers complete requests, and its port can be reused at once",
  async () => {
    const { process, port } = await startServer(["calc-server", "--grace", "5s"]);
    await using _process = process;
    using idle = await TestConnection.open(port);
    await idle.send("10 20 +\n");
    assertEquals(await idle.receive(), SUM);
    using busy = await TestConnection.open(port);
    await busy.send("10 20 +\n".repeat(1_000));
    process.child.kill("SIGTERM");
    assertEquals(await busy.receiveAll(), SUM.repeat(1_000));
    assertEquals(await idle.receiveAll(), "");
    assertEquals((await process.ended()).code, 0);

    await using again = new Process([...process.command.slice(0, -1), String(port)]);
    await again.printed(new RegExp(`Listening on 127\\.0\\.0\\.1:${port} `));
  },
);

signalTest("a request completed within the grace period is answered", async () => {
  const { process, port } = await startServer(["calc-server", "--grace", "5s"]);
  await using _process = process;
  using connection = await TestConnection.open(port);
  await connection.send("1 1 +\n10 2");
  assertEquals(await connection.receive(), "Sum of 1 and 1 is 2\n");
  process.child.kill("SIGTERM");
  await silence(200);
  await connection.send("0 +\n");
  assertEquals(await connection.receiveAll(), SUM);
  assertEquals((await process.ended()).code, 0);
});

signalTest("a stuck peer delays a stopping server no longer than the grace period", async () => {
  const { process, port } = await startServer(["calc-server", "--grace", "300ms"]);
  await using _process = process;
  using connection = await TestConnection.open(port);
  await connection.send("1 1 +\n10 2");
  await connection.receive();
  const started = performance.now();
  assertEquals((await process.stop()).code, 0);
  assertLess(performance.now() - started, 1_500);
});

signalTest("a second signal ends the drain at once with 128 + its number", async () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const { process, port } = await startServer(["calc-server", "--grace", "1m"]);
    await using _process = process;
    using connection = await TestConnection.open(port);
    await connection.send("1 1 +\n10 2");
    await connection.receive();
    process.child.kill("SIGTERM");
    await until(() => isRefused(port), "the first signal stops the listener");
    await silence(100); // sooner would count as the same Ctrl-C, forwarded by a launcher
    const started = performance.now();
    assertEquals((await process.stop(signal)).code, code);
    assertLess(performance.now() - started, 2_000);
  }
});

signalTest(
  "a Ctrl-C that a launcher also forwards counts once, and the drain continues",
  async () => {
    const { process, port } = await startServer(["calc-server", "--grace", "5s"]);
    await using _process = process;
    using connection = await TestConnection.open(port);
    await connection.send("1 1 +\n10 2");
    await connection.receive();
    process.child.kill("SIGINT");
    process.child.kill("SIGTERM");
    await until(() => isRefused(port), "the first signal stops the listener");
    await connection.send("0 +\n");
    assertEquals(await connection.receiveAll(), SUM);
    assertEquals((await process.ended()).code, 0);
  },
);

Deno.test("a draining server refuses connections", async () => {
  const stop = new AbortController();
  await using server = await serve(calc, { port: 0, grace: 10_000, signal: stop.signal });
  const port = server.port ?? 0;
  using connection = await TestConnection.open(port);
  await connection.send("1 1 +\n10 2");
  await connection.receive();
  stop.abort();
  await until(() => isRefused(port), "connections are refused");
});

Deno.test("--once serves one connection and exits 0", async () => {
  for (const name of ["hello", "message", "calc"]) {
    const { process, port } = await startServer([`${name}-server`, "--once"]);
    await using _process = process;
    const words = name === "calc" ? ["10", "20", "+"] : [];
    const client = await netdemoInProcess([`${name}-client`, "--port", String(port), ...words]);
    assertEquals(client.code, 0, client.stderr);
    const { code, stderr } = await process.ended();
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  }
});

Deno.test("--max-time stops the server with exit code 0", async () => {
  const started = performance.now();
  const { code, stderr } = await netdemoInProcess([
    "calc-server",
    "--port",
    "0",
    "--max-time",
    "300ms",
  ]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertGreater(performance.now() - started, 300);
});

signalTest(
  "--port-file contains the port while the server listens, and is then removed",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/port`;
      const { process, port } = await startServer(["calc-server", "--port-file", path]);
      await using _process = process;
      assertEquals(await Deno.readTextFile(path), `${port}\n`);
      assertEquals([...Deno.readDirSync(folder)].length, 1, "only the file itself");
      assertEquals((await process.stop()).code, 0);
      assertEquals([...Deno.readDirSync(folder)], []);

      const missing = await netdemoInProcess([
        "calc-server",
        "--port",
        "0",
        "--port-file",
        `${folder}/no/port`,
      ]);
      assertEquals(missing.code, 1);
      assert(
        missing.stderr.startsWith("netdemo: ERROR: cannot write the port file "),
        missing.stderr,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("an idle connection, an unfinished request and an unread reply are cut off at their deadlines", async () => {
  const reasons: string[] = [];
  const closed = Promise.withResolvers<void>();
  await using server = await serve(message, {
    port: 0,
    idleTimeout: 400,
    requestTimeout: 200,
    events: {
      closed: (_, reason) => {
        reasons.push(reason);
        if (reasons.length === 3) closed.resolve();
      },
    },
  });
  const port = server.port ?? 0;
  const started = performance.now();
  using idle = await TestConnection.open(port);
  using unfinished = await TestConnection.open(port);
  await unfinished.send("a\nunfin");
  using deaf = await TestConnection.open(port); // keeps sending, never reads
  const sending = deaf.send("a\n".repeat(20_000_000)).catch(() => {});
  assertEquals(await idle.receiveAll(), "");
  assertGreater(performance.now() - started, 390, "cut off too early");
  assertEquals(await unfinished.receiveAll(), "Thanks...\n");
  await closed.promise;
  await sending;
  assertLess(performance.now() - started, 3_000);
  assertEquals(reasons.sort(), ["idle timeout", "reply timeout", "request timeout"]);
});

Deno.test("a request that trickles in is cut off at its deadline", async () => {
  await using server = await serve(calc, { port: 0, requestTimeout: 300 });
  using connection = await TestConnection.open(server.port ?? 0);
  await connection.send("1 1 +\n");
  await connection.receive();
  let sent = 0;
  const end = connection.receiveAll();
  let open = true;
  end.then(() => open = false);
  while (open && sent++ < 100) {
    await connection.send("1").catch(() => {});
    await silence(50);
  }
  assertEquals(await end, "");
  assertLess(sent, 40);
});

signalTest("--json reports a server's whole life as objects", async () => {
  const { process, port } = await startServer(["message-server", "--json"]);
  await using _process = process;
  await netdemoInProcess(["message-client", "--port", String(port), "evil \u202e\x9b2J"]);
  await process.printed(/"event":"closed"/);
  const { code, stdout, stderr } = await process.stop();
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  // deno-lint-ignore no-control-regex -- these must not appear
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(stdout), stdout);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ event }) => event), [
    "listening",
    "connection",
    "request",
    "closed",
    "stopped",
  ]);
  const [listening, connection, request, closed, stopped] = events;
  assertEquals(listening.port, port);
  assertEquals(listening.addresses[0], `127.0.0.1:${port}`);
  assert(/^127\.0\.0\.1:\d+$/.test(connection.remote));
  assertEquals(request.request, "evil \u202e\x9b2J");
  assertEquals(request.reply, "Thanks...");
  assertEquals([closed.reason, closed.requests], ["end of stream", 1]);
  assert(closed.elapsedMs > 0);
  assertEquals([stopped.reason, stopped.connections, stopped.requests], ["SIGTERM", 1, 1]);
});

Deno.test("--reply sets the answer to messages", async () => {
  const { process, port } = await startServer(["message-server", "--reply", "Welcome, ü"]);
  await using _process = process;
  const { stdout } = await netdemoInProcess([
    "message-client",
    "--port",
    String(port),
    "hi",
    "there",
  ]);
  assertEquals(stdout, "Welcome, ü\n");
  await process.printed(/Connection Established\nhi there\n/);
});
