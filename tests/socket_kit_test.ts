import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { LineBuffer } from "../protocol/line_buffer.ts";
import { acceptFrom } from "../sockets/accept.ts";
import { Changes, until } from "../sockets/changes.ts";
import { EagerPeer } from "../sockets/eager_peer.ts";
import { Inbox } from "../sockets/inbox.ts";
import { LineReader } from "../sockets/line_reader.ts";
import { bindDatagrams, bindTcp } from "../sockets/listen.ts";
import { dialResettable, listenResettable } from "../sockets/node_stream.ts";
import { SilenceTimers } from "../sockets/silence_timers.ts";
import type { Stream, StreamListener } from "../sockets/stream.ts";
import { writeAll } from "../sockets/write_all.ts";

const here = { hostname: "127.0.0.1", port: 0 };
/** Milliseconds within which something expected happens on a busy machine. */
const LIMIT_MS = 20_000;

/** Both ends of one connection, each read eagerly. */
async function connect(): Promise<readonly [EagerPeer, EagerPeer]> {
  const listener = await listenResettable(here);
  const { hostname, port } = listener.addr as Deno.NetAddr;
  const [accepted, dialed] = await Promise.all([
    listener.accept(),
    dialResettable({ hostname, port }),
  ]);
  listener.close();
  return [new EagerPeer(dialed), new EagerPeer(accepted)];
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A listener whose accepts have the given results, and then wait until it is closed. */
function scripted(results: (Stream | Error)[]): StreamListener {
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  return {
    addr: here,
    accept() {
      const next = results.shift();
      if (next === undefined) return closed.promise;
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    close: () => closed.reject(new Deno.errors.BadResource()),
  };
}

Deno.test("accepting goes on after any failure, and reports at most one a second", async () => {
  const stop = new AbortController();
  const admitted: Stream[] = [];
  const failures: Error[] = [];
  const stream = {} as Stream;
  const full = new Error("Too many open files");
  const reset = new Deno.errors.NotConnected();
  const listener = scripted([stream, reset, full, stream, full, full, stream]);
  const changes = new Changes();
  const accepting = acceptFrom(listener, {
    signal: stop.signal,
    onFailure: (error) => failures.push(error),
    admit(stream) {
      admitted.push(stream);
      changes.notify();
    },
  });
  assert(await until(() => admitted.length === 3, [changes], LIMIT_MS));
  stop.abort();
  await accepting;
  assertEquals(failures, [full]);
});

Deno.test("accepting ends with its signal, and the listener is closed", async () => {
  const stop = new AbortController();
  const listener = bindTcp(here);
  const { port } = listener.addr;
  const accepting = acceptFrom(listener, { signal: stop.signal, admit: (one) => one.close() });
  (await Deno.connect({ port })).close();
  stop.abort();
  await accepting;
  bindTcp({ ...here, port }).close();
  await acceptFrom(bindTcp(here), { signal: stop.signal, admit: () => {} });
});

Deno.test("all is written, however little a write takes", async () => {
  const taken: number[] = [];
  const stream = {
    write(bytes: Uint8Array) {
      taken.push(...bytes.subarray(0, 2));
      return Promise.resolve(Math.min(2, bytes.length));
    },
  };
  let writes = 0;
  await writeAll(stream, Uint8Array.of(1, 2, 3, 4, 5), () => writes++);
  assertEquals([taken, writes], [[1, 2, 3, 4, 5], 3]);
});

Deno.test("a wait ends with the change that fulfils it, or without it when its time is up", async () => {
  const [some, other] = [new Changes(), new Changes()];
  let count = 0;
  const waiting = until(() => count === 2, [some, other], 10 * LIMIT_MS);
  for (const changes of [some, other]) {
    count++;
    changes.notify();
    await delay(0);
  }
  assertEquals(await deadline(waiting, LIMIT_MS), true);
  assertEquals(await until(() => false, [some, other], 5), false);
});

Deno.test("an eager peer keeps what arrives until it is taken", async () => {
  const [client, server] = await connect();
  using _client = client;
  using _server = server;
  const sent = "0123456789".repeat(100_000);
  const sending = client.send(sent.slice(0, 500_000)).then(() => client.send(sent.slice(500_000)));
  assert(await server.until(({ length }) => length === sent.length, LIMIT_MS));
  await sending;
  assertEquals(textOf(server.peek(3)), "012");
  assertEquals(textOf(server.take(15)), "012345678901234");
  assertEquals(textOf(server.take()), sent.slice(15));
  assertEquals([server.pending, server.ending], [0, undefined]);
});

Deno.test("an eager peer shows how its connection ended", async () => {
  const endings: Record<string, (client: EagerPeer, server: EagerPeer) => unknown> = {
    "end of stream": (client) => client.closeWrite(),
    reset: (client) => client.reset(),
    closed: (_, server) => server.close(),
  };
  for (const [ending, end] of Object.entries(endings)) {
    const [client, server] = await connect();
    using _client = client;
    using _server = server;
    await client.send("last");
    assert(await server.until(({ length }) => length === 4, LIMIT_MS));
    end(client, server);
    assert(await server.untilEnd(LIMIT_MS));
    assertEquals(server.ending, ending);
    assertEquals(textOf(server.take()), "last");
    assertEquals(await server.until(() => false, LIMIT_MS), false);
  }
});

Deno.test("an eager peer reads on once enough has been taken", async () => {
  const [client, server] = await connect();
  using _client = client;
  using _server = server;
  const block = new Uint8Array(1_048_576);
  const sending = (async () => {
    for (let sent = 0; sent < 40; sent++) await client.send(block);
  })();
  for (let taken = 0; taken < 40 * block.length; taken += server.take().length) {
    assert(await server.until(({ length }) => length > 0, LIMIT_MS));
    assert(server.pending < 34_000_000);
  }
  await sending;
});

Deno.test("an eager peer stops waiting for a peer that reads nothing", async () => {
  const listener = bindTcp(here);
  using conn = await Deno.connect({ port: listener.addr.port });
  using peer = new EagerPeer(await listener.accept());
  listener.close();
  await peer.send(new Uint8Array(30_000_000), 20);
  assertEquals([peer.refusesInput, conn.localAddr.transport], [false, "tcp"]);
});

Deno.test("an inbox keeps datagrams, and replies from where they were sent to", async () => {
  const sockets = [bindDatagrams(here), bindDatagrams(here)];
  const client = bindDatagrams(here);
  using inbox = new Inbox(sockets, ({ bytes }) => bytes.length > 0);
  using answers = new Inbox([client]);
  for (const { addr } of sockets) {
    await client.send(new Uint8Array(0), { transport: "udp", ...addr });
    await client.send(Uint8Array.of(addr.port & 255), { transport: "udp", ...addr });
  }
  assert(await until(() => inbox.kept.length + inbox.others === 4, [inbox.changes], LIMIT_MS));
  for (const { from, bytes, reply } of inbox.take(() => true)) {
    assertEquals(from, { transport: "udp", ...client.addr });
    await reply(bytes);
  }
  assertEquals(inbox.kept.length, 0);
  for (const { addr } of sockets) {
    const answer = await answers.next(LIMIT_MS);
    assertEquals([...answer?.bytes ?? []], [addr.port & 255]);
    assertEquals(answer?.from.port, addr.port);
  }
  assertEquals(await answers.next(1), undefined);
});

Deno.test("silence ends a line without an end, and the read behind it loses nothing", async () => {
  const listener = bindTcp(here);
  using conn = await Deno.connect({ port: listener.addr.port });
  using stream = await listener.accept();
  listener.close();
  const silence = new SilenceTimers<LineReader>();
  const lines = new LineBuffer(1_000);
  const reader = new LineReader(stream, lines, silence);
  await conn.write(new TextEncoder().encode("10 20 +"));
  assertEquals(lines.take(await reader.read() ?? 0), []);
  assertEquals(await reader.read(), 0);
  assertEquals(lines.takeRest().lines, ["10 20 +"]);
  await conn.write(new TextEncoder().encode("6 7 *\n"));
  assertEquals(await reader.peek(), 6);
  assertEquals(lines.take(await reader.read() ?? 0), ["6 7 *"]);
  conn.close();
  assertEquals(await reader.read(), null);
  reader.close();
  silence.stop();
});
