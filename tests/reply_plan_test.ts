import { assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { serveUdp } from "../services/server/datagram_server.ts";
import { startServer } from "../services/server/start.ts";
import type { Server, StreamOptions } from "../services/server/server.ts";
import type { ReplyStep, Service } from "../services/service.ts";
import { silence, TestConnection, until } from "./harness/mod.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The steps that answer each request; any other is echoed. */
const plans: Readonly<Record<string, (ending: string) => Iterable<ReplyStep>>> = {
  late: (ending) => [{ waitMs: 150 }, { send: encode(`late${ending}`) }],
  hour: () => [{ waitMs: 3_600_000 }],
  pieces: (ending) => [{ send: encode("a") }, { waitMs: 50 }, { send: encode(`b${ending}`) }],
  end: () => [{ send: encode("x") }, "end"],
  close: () => [{ send: encode("y") }, "close"],
  reset: () => [{ send: encode("z") }, { waitMs: 50 }, "reset"],
  silence: () => ["silence"],
  *flood() {
    const send = new Uint8Array(65_536);
    while (true) yield { send };
  },
};

const service: Service = {
  name: "planned",
  running: "",
  resets: true,
  isReply: (text) => !Object.hasOwn(plans, text) && text !== "twice",
  reply(request) {
    const steps = plans[request];
    return steps === undefined ? `echo ${request}` : { shown: `[${request}]`, steps };
  },
};

const start = (options: StreamOptions = {}): Promise<Server> =>
  startServer(service, { protocol: "tcp", port: 0 }, options);

async function ask(server: Server, request: string): Promise<TestConnection> {
  const connection = await TestConnection.open(server.port ?? 0);
  await connection.send(request);
  return connection;
}

Deno.test("a reply in steps keeps its place among the others, and its line end", async () => {
  const answered: string[] = [];
  await using server = await start({
    events: { answered: (_, request, reply) => answered.push(`${request}: ${reply}`) },
  });
  using connection = await ask(server, "1\nlate\n2\npieces\n3\n");
  await connection.conn.closeWrite();
  assertEquals(await connection.receiveAll(), "echo 1\nlate\necho 2\nab\necho 3\n");
  assertEquals(answered, [
    "1: echo 1",
    "late: [late]",
    "2: echo 2",
    "pieces: [pieces]",
    "3: echo 3",
  ]);
  using classic = await ask(server, "late");
  assertEquals(await classic.receive(), "late");
});

Deno.test("while one reply waits, other connections are answered", async () => {
  await using server = await start();
  using waiting = await ask(server, "hour\n1\n");
  using other = await ask(server, "2\n");
  assertEquals(await other.receive(), "echo 2\n");
  const none = await Promise.race([waiting.receive(), silence(300).then(() => "none")]);
  assertEquals(none, "none");
});

Deno.test("a reply may end, close or reset its connection", async () => {
  await using server = await start();
  using ended = await ask(server, "end\n");
  assertEquals(await ended.receiveAll(), "x");
  using closed = await ask(server, "close\n1\n");
  assertEquals(await closed.receiveAll(), "y");
  using reset = await ask(server, "reset\n");
  assertEquals(await reset.receive(), "z");
  await assertRejects(() => reset.receive(), Deno.errors.ConnectionReset);
});

Deno.test("after an end, the client's data is read until the client ends too", async () => {
  await using server = await start();
  using connection = await ask(server, "end\n");
  assertEquals(await connection.receive(), "x");
  await connection.send("x".repeat(3_000_000)); // would stall if the server did not read
  assertEquals(server.open, 1);
  await connection.conn.closeWrite();
  await until(() => server.open === 0, "the connection is closed");
});

Deno.test("silence lasts until the client leaves or is idle too long", async () => {
  const reasons: string[] = [];
  await using server = await start({
    idleTimeout: 300,
    events: { closed: (_, reason) => reasons.push(reason) },
  });
  using leaving = await ask(server, "silence\n1\n");
  await leaving.conn.closeWrite();
  assertEquals(await leaving.receiveAll(), "");
  using staying = await ask(server, "silence\n1\n");
  assertEquals(await staying.receiveAll(), "");
  assertEquals(reasons, ["end of stream", "idle timeout"]);
});

Deno.test("an endless reply is cut off if its client does not read, and affects no other", async () => {
  const reasons: string[] = [];
  await using server = await start({
    requestTimeout: 300,
    events: { closed: (_, reason) => reasons.push(reason) },
  });
  using deaf = await ask(server, "flood\n");
  using reader = await ask(server, "flood\n");
  const reading = reader.conn.readable.pipeTo(new WritableStream()).catch(() => {});
  await until(() => reasons.length === 1, "the deaf client is cut off");
  assertEquals(reasons, ["reply timeout"]);
  for (let round = 0; round < 20; round++) {
    const asked = performance.now();
    using other = await ask(server, `${round}\n`);
    assertEquals(await other.receive(), `echo ${round}\n`);
    assertLess(performance.now() - asked, 250);
  }
  await server[Symbol.asyncDispose]();
  await reading;
  deaf[Symbol.dispose]();
});

Deno.test("a stop ends waiting replies within the grace period", async () => {
  const stop = new AbortController();
  await using server = await start({ signal: stop.signal, grace: 400 });
  using waiting = await ask(server, "hour\n");
  using silent = await ask(server, "silence\n");
  await until(() => server.open === 2, "both are connected");
  await silence(50);
  const started = performance.now();
  stop.abort();
  assertEquals(await silent.receiveAll(), "");
  assertEquals(await waiting.receiveAll(), "");
  await server.finished;
  const elapsed = performance.now() - started;
  assertGreater(elapsed, 390);
  assertLess(elapsed, 1_500);
});

Deno.test("over UDP each send is a datagram, and a waiting reply delays no other", async () => {
  await using server = await serveUdp(service, { port: 0 });
  using sockets = new DisposableStack();
  const socket = sockets.adopt(
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
    (socket) => socket.close(),
  );
  const send = (text: string): Promise<number> =>
    socket.send(encode(text), {
      transport: "udp",
      hostname: "127.0.0.1",
      port: server.port ?? 0,
    });
  const receive = async (): Promise<string> =>
    new TextDecoder().decode((await socket.receive())[0]);
  await send("hour");
  await send("pieces\n");
  assertEquals([await receive(), await receive()], ["a", "b\n"]);
  assertEquals(server.open, 1);
});
