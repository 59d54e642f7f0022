import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Endpoint, type InternetEndpoint, isSameEndpoint } from "../protocol/addresses.ts";
import { errnoOf } from "../sockets/errno.ts";
import { dialResettable, listenResettable, listenResettableOnAll } from "../sockets/node_stream.ts";
import { canReset } from "../sockets/runtime.ts";
import { SocketFailure } from "../sockets/failure.ts";
import type { Stream, StreamListener } from "../sockets/stream.ts";
import { backAtBaseline, countDescriptors, ipv6, silence, testWith } from "./harness/mod.ts";

const here = { hostname: "127.0.0.1", port: 0 };

/** Two ends of one connection, and the listener between them. */
class Pair implements Disposable {
  private constructor(
    readonly listener: StreamListener,
    readonly client: Stream,
    readonly server: Stream,
  ) {}

  static async open(hostname = here.hostname): Promise<Pair> {
    const listener = await listenResettable({ hostname, port: 0 });
    const client = await dialResettable(endpointOf(listener));
    return new Pair(listener, client, await listener.accept());
  }

  [Symbol.dispose](): void {
    this.client.close();
    this.server.close();
    this.listener.close();
  }
}

function endpointOf(listener: StreamListener): InternetEndpoint {
  return listener.addr as InternetEndpoint;
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return isSameEndpoint(one as InternetEndpoint, other as InternetEndpoint);
}

async function send(stream: Stream, data: string | Uint8Array): Promise<void> {
  let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
}

/** The text of one read; `null` at the end. */
async function receive(stream: Stream, size = 65_536): Promise<string | null> {
  const buffer = new Uint8Array(size);
  const count = await stream.read(buffer);
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}

/** The errno that the promise rejects with. */
async function errnoFrom(promise: Promise<unknown>): Promise<string | undefined> {
  return errnoOf(await assertRejects(() => promise));
}

function resetTest(name: string, fn: () => Promise<void>): void {
  testWith([{ missing: "this runtime can't reset", isMet: () => canReset }], name, fn);
}

for (const hostname of ["127.0.0.1", "::1"]) {
  const needs = hostname === "::1" ? [ipv6] : [];
  testWith(
    needs,
    `a node:net stream carries both directions and names both ends (${hostname})`,
    async () => {
      using pair = await Pair.open(hostname);
      const { client, server, listener } = pair;
      assertEquals(client.remote, listener.addr);
      assertEquals(client.local, server.remote);
      assertEquals(client.remote, server.local);
      await send(client, "Hello");
      assertEquals(await receive(server), "Hello");
      await send(server, "Thanks...");
      assertEquals(await receive(client, 6), "Thanks");
      assertEquals(await receive(client, 6), "...");
    },
  );
}

Deno.test("after a half-close the other direction stays open as long as needed", async () => {
  using pair = await Pair.open();
  await send(pair.client, "10 20 +");
  await pair.client.closeWrite();
  assertEquals(await receive(pair.server), "10 20 +");
  assertEquals(await receive(pair.server), null);
  assertEquals(await receive(pair.server), null);
  await silence(50);
  await send(pair.server, "Sum");
  await pair.server.closeWrite();
  assertEquals(await receive(pair.client), "Sum");
  assertEquals(await receive(pair.client), null);
  await assertRejects(() => send(pair.client, "more"));
});

Deno.test("data that arrives before accept and read is not lost", async () => {
  using listener = asDisposable(await listenResettable(here));
  using client = await dialResettable(endpointOf(listener.value));
  await send(client, "early");
  await client.closeWrite();
  await silence(50);
  using server = await listener.value.accept();
  await silence(50);
  assertEquals(await receive(server), "early");
  assertEquals(await receive(server), null);
});

Deno.test("a peer that does not read blocks the writer, and gets all data later", async () => {
  using pair = await Pair.open();
  const block = new Uint8Array(1_048_576).map((_, index) => index % 251);
  const blocks = 64;
  let written = 0;
  const writing = (async () => {
    for (let count = 0; count < blocks; count++) {
      await send(pair.client, block);
      written++;
    }
    await pair.client.closeWrite();
  })();
  await send(pair.server, "the other direction is not blocked");
  assertEquals(await receive(pair.client), "the other direction is not blocked");
  await silence(200);
  assert(written < blocks / 2, `${written} MiB were accepted but never read`);

  const buffer = new Uint8Array(100_000);
  let received = 0;
  for (let count = await pair.server.read(buffer); count !== null;) {
    const first = received % block.length % 251;
    if (count > 0) assertEquals(buffer[0], received % block.length === 0 ? 0 : first);
    received += count;
    count = await pair.server.read(buffer);
  }
  await writing;
  assertEquals(received, blocks * block.length);
});

resetTest("a reset reaches the peer as a reset, after the data sent before it", async () => {
  using pair = await Pair.open();
  await send(pair.server, "part of a rep");
  await receive(pair.client, 4);
  pair.server.reset?.();
  pair.server.reset?.();
  pair.server.close();
  assertEquals(await receive(pair.client), " of a rep");
  assertEquals(await errnoFrom(receive(pair.client)), "ECONNRESET");
  assertEquals(await errnoFrom(receive(pair.client)), "ECONNRESET");
  await assertRejects(() => send(pair.client, "more"));
});

resetTest("a reset reaches one of Deno's own connections", async () => {
  using listener = Deno.listen(here);
  using client = await dialResettable(listener.addr);
  using server = await listener.accept();
  client.reset?.();
  await assertRejects(() => server.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
});

resetTest("a peer's reset ends a blocked write", async () => {
  using pair = await Pair.open();
  const flooded = (async () => {
    while (true) await send(pair.client, new Uint8Array(1_048_576));
  })();
  await pair.server.read(new Uint8Array(1));
  pair.server.reset?.();
  const errno = await errnoFrom(flooded);
  assert(errno === "ECONNRESET" || errno === "EPIPE", `received ${errno}`);
});

resetTest(
  "a connection reset before it is accepted does not fail the listener",
  async () => {
    using listener = asDisposable(await listenResettable(here));
    for (let count = 0; count < 20; count++) {
      (await dialResettable(endpointOf(listener.value))).reset?.();
    }
    using client = await dialResettable(endpointOf(listener.value));
    await send(client, "still there");
    let server = await listener.value.accept();
    while (!isSame(server.remote, client.local)) {
      server.close();
      server = await listener.value.accept();
    }
    assertEquals(await receive(server), "still there");
    server.close();
  },
);

Deno.test("close interrupts a pending read and write, and is final", async () => {
  using pair = await Pair.open();
  const reading = pair.client.read(new Uint8Array(1));
  const writing = (async () => {
    while (true) await send(pair.client, new Uint8Array(1_048_576));
  })();
  await silence(50);
  pair.client.close();
  pair.client.close();
  await assertRejects(() => reading, Deno.errors.Interrupted);
  await assertRejects(() => writing, Deno.errors.Interrupted);
  await assertRejects(() => receive(pair.client), Deno.errors.BadResource);
  await assertRejects(() => send(pair.client, "x"), Deno.errors.BadResource);
  await assertRejects(() => pair.client.closeWrite(), Deno.errors.BadResource);
});

Deno.test("a second concurrent read or accept is rejected, and the first is unaffected", async () => {
  using pair = await Pair.open();
  const reading = receive(pair.client);
  await assertRejects(() => receive(pair.client), Deno.errors.Busy);
  await send(pair.server, "for the first");
  assertEquals(await reading, "for the first");
  const accepting = pair.listener.accept();
  await assertRejects(() => pair.listener.accept(), Deno.errors.Busy);
  using another = await dialResettable(endpointOf(pair.listener));
  using accepted = await accepting;
  assertEquals(accepted.remote, another.local);
});

Deno.test("closing a listener ends a pending accept and closes queued connections", async () => {
  const listener = await listenResettable(here);
  using unaccepted = await dialResettable(endpointOf(listener));
  await silence(20);
  listener.close();
  listener.close();
  assertEquals(await receive(unaccepted).catch(() => null), null);
  await assertRejects(() => listener.accept(), Deno.errors.BadResource);

  const other = await listenResettable(here);
  const accepting = other.accept();
  other.close();
  await assertRejects(() => accepting, Deno.errors.BadResource);
});

for (const hostname of ["127.0.0.1", "::1"]) {
  const needs = hostname === "::1" ? [ipv6] : [];
  testWith(
    needs,
    `a failure to connect or listen is reported with its errno (${hostname})`,
    async () => {
      const listener = await listenResettable({ hostname, port: 0 });
      const taken = endpointOf(listener);
      assertEquals(await errnoFrom(listenResettable(taken)), "EADDRINUSE");
      listener.close();
      // Nothing listens on port 1; a port that was just closed may be another test's by now.
      assertEquals(await errnoFrom(dialResettable({ hostname, port: 1 })), "ECONNREFUSED");
    },
  );
}

testWith([ipv6], "listening on all addresses takes one port that is free on each", async () => {
  const listeners = await listenResettableOnAll(["192.0.2.7", "127.0.0.1", "::1"], 0);
  const [one, other] = listeners.map(({ addr }) => addr as InternetEndpoint);
  assertEquals([one?.hostname, other?.hostname, listeners.length], ["127.0.0.1", "::1", 2]);
  assertEquals(one?.port, other?.port);
  const again = listenResettableOnAll(["127.0.0.1", "::1"], one?.port ?? 0);
  assertEquals((await assertRejects(() => again, SocketFailure)).kind, "BIND");
  for (const listener of listeners) listener.close();
  const none = await assertRejects(() => listenResettableOnAll(["192.0.2.7"], 0), SocketFailure);
  assertEquals(none.kind, "BIND");
});

Deno.test("a signal aborts an attempt to connect, with its reason", async () => {
  const reason = new Error("no longer wanted");
  const stopped = AbortSignal.abort(reason);
  assertEquals(await dialResettable({ ...here, port: 9, signal: stopped }).catch((e) => e), reason);

  // A full backlog drops SYNs, so connecting gets no answer on any host.
  using full = await FullBacklog.open();
  const stop = new AbortController();
  const attempt = dialResettable({ ...full.endpoint, signal: stop.signal });
  setTimeout(() => stop.abort(reason), 50);
  assertEquals(await attempt.catch((error) => error), reason);
});

Deno.test("no way of ending a connection or an attempt leaks a descriptor", async () => {
  const before = countDescriptors();
  const ways: ((pair: Pair) => unknown)[] = [
    () => {},
    ({ client }) => client.reset?.(),
    ({ server }) => server.reset?.(),
    ({ server }) => server.closeWrite(),
    ({ client }) => send(client, "unread"),
    async ({ client, server }) => {
      server.reset?.();
      await client.read(new Uint8Array(1)).catch(() => {});
    },
  ];
  for (let count = 0; count < 120; count++) {
    using pair = await Pair.open();
    await ways[count % ways.length]?.(pair);
    const endpoint = endpointOf(pair.listener);
    pair.listener.close();
    await dialResettable(endpoint).catch(() => {});
  }
  await backAtBaseline(before);
});

/** A listener whose queue is full, so that it answers no more connection requests. */
class FullBacklog implements Disposable {
  private constructor(
    readonly endpoint: InternetEndpoint,
    readonly held: readonly Disposable[],
  ) {}

  static async open(): Promise<FullBacklog> {
    const listener = Deno.listen({ ...here, tcpBacklog: 1 });
    const held: Disposable[] = [listener];
    while (true) {
      const signal = AbortSignal.timeout(100);
      try {
        held.push(await Deno.connect({ ...here, port: listener.addr.port, signal }));
      } catch {
        return new FullBacklog(listener.addr, held);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const each of this.held) each[Symbol.dispose]();
  }
}

function asDisposable(value: StreamListener): { readonly value: StreamListener } & Disposable {
  return { value, [Symbol.dispose]: () => value.close() };
}
