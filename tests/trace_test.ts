import { assert, assertEquals, assertMatch } from "@std/assert";
import { ask } from "../clients/call/pipeline.ts";
import { dial } from "../clients/call/dial.ts";
import type { SocketEvent } from "../sockets/socket_events.ts";
import { service as calc } from "../services/calc.ts";
import { serve } from "../services/server/stream_server.ts";
import {
  netdemo,
  netdemoCommand,
  Process,
  signalTest,
  startServer,
  strace,
  Straced,
  type SystemCall,
  TestConnection,
  testWith,
} from "./harness/mod.ts";

/** The lines of a trace, without times and ports. */
function masked(trace: string): string[] {
  return trace.trimEnd().split("\n").filter((line) => !line.startsWith("#")).map((line) =>
    line.replace(/^ *\d+\.\d{3} (?: *\d+\.\d{3}| +) /, "").replaceAll(/:\d+(?=\))/g, ":PORT")
      .replaceAll(/ +/g, " ")
  );
}

signalTest("--trace shows each call of a client and of a server", async () => {
  const process = new Process([
    ...netdemoCommand,
    "calc-server",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--trace",
  ]);
  await using _process = process;
  const [, port = ""] = await process.printed(/Listening on 127\.0\.0\.1:(\d+)/);
  const client = await netdemo([
    "calc-client",
    "--host",
    "127.0.0.1",
    "--port",
    port,
    "--trace",
    "10",
    "20",
    "+",
  ]);
  assertEquals(client.stdout, "Sum of 10 and 20 is 30\n");
  assertEquals(masked(client.stderr), [
    "calc-client #1 socket(AF_INET) ok",
    "calc-client #1 connect(127.0.0.1:PORT) ok",
    'calc-client #1 send(8) 8 "10 20 +\\n"',
    'calc-client #1 recv(23) 23 "Sum of 10..."',
    "calc-client #1 close() ok",
  ]);
  for (const line of client.stderr.split("\n")) assert(line.length <= 80, line);
  assertMatch(client.stderr, /^# Deno makes the system calls;/);
  assertEquals(client.stderr.split("Deno makes").length, 2, "said once");
  // deno-lint-ignore no-control-regex -- there must be no colour in a pipe
  assert(!/\x1b/.test(client.stderr));

  const { stderr } = await process.stop();
  assertEquals(masked(stderr), [
    "calc-server #1 socket(AF_INET) ok",
    "calc-server #1 bind(127.0.0.1:PORT) ok",
    "calc-server #1 listen(127.0.0.1:PORT) ok",
    "calc-server #2 accept(127.0.0.1:PORT) ok",
    'calc-server #2 recv(8) 8 "10 20 +\\n"',
    'calc-server #2 send(23) 23 "Sum of 10..."',
    "calc-server #2 recv(0) 0",
    "calc-server #2 close() ok",
    "calc-server #1 close() ok",
  ]);
});

Deno.test("--trace names the error of a call that failed", async () => {
  const { code, stderr } = await netdemo([
    "hello-client",
    "--host",
    "127.0.0.1",
    "--port",
    "1",
    "--trace",
  ]);
  assertEquals(code, 11);
  assertMatch(stderr, /connect\(127\.0\.0\.1:1\) +ECONNREFUSED\n/);
});

Deno.test("--trace escapes bytes and cuts them to the width available", async () => {
  const { process, port } = await startServer(["message-server"]);
  await using _process = process;
  const args = [
    "message-client",
    "--port",
    String(port),
    "--trace",
    "\x1b[31m" + "日本".repeat(200),
  ];
  const { stderr } = await netdemo(args);
  // deno-lint-ignore no-control-regex -- they are what must not be there
  assert(!/\x1b|\x9b/.test(stderr));
  assertMatch(stderr, /send\(1206\) +1206 +"\\x1b\[31m/);
  assertMatch(stderr, /\.\.\."\n/);
});

Deno.test("each of 64 concurrent connections has a complete trace", async () => {
  const events: SocketEvent[] = [];
  const closed = Promise.withResolvers<void>();
  let open = 64;
  await using server = await serve(calc, {
    port: 0,
    trace: (event) => events.push(event),
    events: { closed: () => --open === 0 && closed.resolve() },
  });
  await Promise.all(Array.from({ length: 64 }, async (_, index) => {
    using connection = await TestConnection.open(server.port ?? 0);
    for (let round = 0; round < 20; round++) {
      await connection.send(`${index} ${round} *\n`);
      assertEquals(await connection.receiveLines(1), [
        `Product of ${index} and ${round} is ${index * round}`,
      ]);
    }
  }));
  await closed.promise;
  const accepted = events.filter(({ call }) => call === "accept").map(({ socket }) => socket);
  assertEquals(new Set(accepted).size, 64);
  for (const socket of accepted) {
    const calls = events.filter((event) => event.socket === socket).map(({ call }) => call).join(
      " ",
    );
    assertEquals(calls, `accept ${"recv send ".repeat(20)}recv close`);
  }
});

Deno.test("tracing does not change what is sent and received", async () => {
  const events: SocketEvent[] = [];
  await using server = await serve(calc, { port: 0 });
  const watch = { trace: (event: SocketEvent) => void events.push(event), who: "calc-client" };
  {
    using call = await dial(
      { protocol: "tcp", addresses: ["127.0.0.1"], port: server.port ?? 0 },
      { timeout: 5_000, watch },
    );
    assertEquals((await ask(call, "6 7 *")).reply, "Product of 6 and 7 is 42");
  }
  const sent = events.find(({ call }) => call === "send");
  assertEquals(new TextDecoder().decode(sent?.data), "6 7 *\n");
  assertEquals(events.map(({ call }) => call), ["socket", "connect", "send", "recv", "close"]);
});

/** The names in `--trace` of calls that strace names differently. */
const traceNames: Readonly<Record<string, string>> = {
  accept4: "accept",
  sendto: "send",
  recvfrom: "recv",
};

/** The calls on a program's IPv4 stream sockets, except those that would have blocked. */
function socketCalls(calls: readonly SystemCall[]): string[] {
  const sockets = new Set<string>();
  const made: string[] = [];
  for (const { name, args, result } of calls) {
    const opens = name === "socket" && args.startsWith("AF_INET,") && args.includes("SOCK_STREAM");
    // A socket of the runtime's own may get the number of one that was closed.
    if (name === "socket" && !opens) sockets.delete(result);
    const [descriptor = ""] = args.split(",");
    if (!opens && !sockets.has(descriptor) || result.includes("EAGAIN")) continue;
    if (opens || name === "accept4") sockets.add(result);
    made.push(traceNames[name] ?? name);
  }
  return made;
}

/** Calls that both strace and `--trace` show: close is no network call, and shutdown is Deno's own. */
const shownByBoth = "trace=socket,bind,listen,accept4,connect,sendto,recvfrom,sendmsg,recvmsg";

function tracedCalls(trace: string): string[] {
  return masked(trace).map((line) => / (\w+)\(/.exec(line)?.[1] ?? "")
    .filter((call) => call !== "close");
}

testWith([strace], "--trace of a client agrees with strace", async () => {
  const { process: server, port } = await startServer(["calc-server"]);
  await using _server = server;
  const where = ["--host", "127.0.0.1", "--port", String(port)];
  await using client = new Straced([shownByBoth], [
    ...netdemoCommand,
    ...["calc-client", ...where, "--trace", "10", "20", "+"],
  ]);
  const { code, stderr } = await client.ended();
  assertEquals(code, 0);
  assertEquals(tracedCalls(stderr), ["socket", "connect", "send", "recv"]);
  assertEquals(socketCalls(client.calls()), tracedCalls(stderr));
  const connects = client.calls().filter(({ name, args }) =>
    name === "connect" && args.includes(`htons(${port})`)
  );
  assertEquals(connects.length, 1);
});

testWith([strace], "--trace of a server agrees with strace", async () => {
  await using server = new Straced([shownByBoth], [
    ...netdemoCommand,
    ...["calc-server", "--host", "127.0.0.1", "--port", "0", "--once", "--trace"],
  ]);
  const [, port = ""] = await server.process.printed(/Listening on 127\.0\.0\.1:(\d+)/);
  using connection = await TestConnection.open(Number(port));
  await connection.send("1 2 +\n");
  assertEquals(await connection.receive(), "Sum of 1 and 2 is 3\n");
  await connection.conn.closeWrite();
  const { stderr } = await server.ended();
  assertEquals(tracedCalls(stderr), ["socket", "bind", "listen", "accept", "recv", "send", "recv"]);
  assertEquals(socketCalls(server.calls()), tracedCalls(stderr));
});

Deno.test("--trace reports start and duration, and no duration includes drawing", async () => {
  const events: SocketEvent[] = [];
  const began = performance.now();
  await using server = await serve(calc, { port: 0 });
  const watch = { trace: (event: SocketEvent) => void events.push(event), who: "calc-client" };
  {
    using call = await dial(
      { protocol: "tcp", addresses: ["127.0.0.1"], port: server.port ?? 0 },
      { timeout: 5_000, watch },
    );
    await ask(call, "6 7 *");
  }
  const timed = events.filter(({ call }) => call !== "socket");
  assertEquals(timed.map(({ call }) => call), ["connect", "send", "recv", "close"]);
  for (const { call, time, duration = NaN } of timed) {
    assert(duration >= 0 && time >= began && time <= performance.now(), call);
  }
  // Drawing happens after the calls, so it can't lengthen their durations.
  const { traceLines } = await import("../cli/output/trace_lines.ts");
  const { Output } = await import("../cli/output/output.ts");
  let written = "";
  const sink = {
    write(bytes: Uint8Array): Promise<number> {
      written += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const output = new Output(sink);
  const trace = traceLines(output, { columns: 200, color: false, unicode: true });
  for (const event of events) trace(event);
  assertEquals(written, "", "nothing is written while calls may be in progress");
  output.line("then");
  await output.flush();
  const lines = written.trimEnd().split("\n").filter((line) => !line.startsWith("#"));
  assertEquals(lines.length, events.length + 1);
  assertEquals(lines.at(-1), "then", "later output follows the trace");
});

for (const columns of [40, 80]) {
  Deno.test(`--trace fits ${columns} columns for every program, and escapes names`, async () => {
    const { traceLines } = await import("../cli/output/trace_lines.ts");
    const { Output } = await import("../cli/output/output.ts");
    let written = "";
    const output = new Output({
      write(bytes) {
        written += new TextDecoder().decode(bytes);
        return Promise.resolve(bytes.length);
      },
    });
    const trace = traceLines(output, { columns, color: false, unicode: true });
    const remote = { hostname: "2001:db8:1111:2222:3333:4444:5555:6666%e\x1b[31m", port: 65_535 };
    const data = new TextEncoder().encode("x".repeat(100));
    for (const who of ["hello-server", "message-server", "message-client", "calc-client"]) {
      const common = { time: 1_234.5, duration: 123.4, who, socket: 12 };
      trace({ ...common, call: "connect", remote, error: "ECONNREFUSED" });
      trace({ ...common, call: "recvfrom", remote, data });
      trace({ ...common, call: "connect", remote: { path: "/tmp/\x1b[31m" } });
    }
    await output.flush();
    // deno-lint-ignore no-control-regex -- they are what must not be there
    assert(!/\x1b/.test(written), written);
    for (const line of written.split("\n")) assert(line.length <= columns, line);
  });
}
