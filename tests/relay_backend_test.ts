import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { service as calc } from "../services/calc.ts";
import { startServer } from "../services/server/start.ts";
import { firstToAnswer } from "../sockets/dial.ts";
import { SocketFailure } from "../sockets/failure.ts";
import { dialResettable } from "../sockets/node_stream.ts";
import { freePort } from "./harness/free_port.ts";
import {
  nameServer,
  netdemoCommand,
  netdemoInProcess,
  Process,
  TestConnection,
  testWith,
  unix,
  until,
} from "./harness/mod.ts";
import { startCalc, TestRelay } from "./harness/relay.ts";

const here = { hostname: "127.0.0.1", port: 0 };

/** How a calc-client ends, at the address of a relay. */
async function ask(address: string, ...flags: readonly string[]): Promise<number> {
  return (await netdemoInProcess(["calc-client", address, ...flags, "10", "20", "+"])).code;
}

/** Asks a calculator through the relay's port: the reply, or why there is none. */
async function askPort(port: number): Promise<string> {
  try {
    using client = await TestConnection.open(port);
    await client.send("1 2 +\n");
    return await client.receive();
  } catch (error) {
    return (error as Error).name;
  }
}

/** A port that drops connection requests: its listener accepts none, and its queue is full. */
async function blackHole(hostname: string): Promise<AsyncDisposable & { readonly port: number }> {
  const listener = Deno.listen({ hostname, port: 0, tcpBacklog: 1 });
  const queued: Deno.TcpConn[] = [];
  const { port } = listener.addr;
  for (let isOpen = true; isOpen;) {
    const signal = AbortSignal.timeout(300);
    const conn = await Deno.connect({ hostname, port, signal }).catch(() => undefined);
    isOpen = conn !== undefined;
    if (conn !== undefined) queued.push(conn);
  }
  return {
    port,
    [Symbol.asyncDispose]() {
      for (const conn of queued) conn.close();
      listener.close();
      return Promise.resolve();
    },
  };
}

Deno.test("50 clients at once are all served by a server that listens on ::1 alone", async () => {
  await using server = await startServer(calc, { protocol: "tcp", addresses: ["::1"], port: 0 }, {
    grace: 0,
  });
  await using relay = await TestRelay.start({ target: server.port ?? 0, host: "localhost" });
  const replies = await Promise.all(Array.from({ length: 50 }, () => askPort(relay.port)));
  assertEquals(new Set(replies), new Set(["Sum of 1 and 2 is 3\n"]));
});

Deno.test("an address that drops requests delays the first client for a moment, and no other", async () => {
  await using hole = await blackHole("127.0.0.2");
  await using server = await startServer(
    calc,
    { protocol: "tcp", addresses: ["127.0.0.1"], port: hole.port },
    { grace: 0 },
  );
  await using relay = await TestRelay.start({
    target: server.port ?? 0,
    host: "two.test",
    lookUp: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]),
  });
  const start = performance.now();
  for (let count = 0; count < 6; count++) {
    assertEquals(await askPort(relay.port), "Sum of 1 and 2 is 3\n");
  }
  assertLess(performance.now() - start, 3_000);
});

Deno.test("a name whose address has changed is looked up again for the client that it failed", async () => {
  await using server = await startCalc();
  let addresses = ["127.0.0.9"];
  await using relay = await TestRelay.start({
    target: server.port,
    host: "moves.test",
    lookUp: () => Promise.resolve(addresses),
  });
  assertMatch(await askPort(relay.port), /Error|Reset/);
  const refused = await relay.until(({ what }) => what === "refused");
  assertEquals(refused.what === "refused" && refused.why, "ECONNREFUSED");
  addresses = ["127.0.0.1"];
  assertEquals(await askPort(relay.port), "Sum of 1 and 2 is 3\n");
});

for (const udp of [false, true]) {
  Deno.test(`a name that does not resolve yet is looked up again (${udp ? "udp" : "tcp"})`, async () => {
    await using server = await startCalc(udp ? "udp" : "tcp");
    let isThere = false;
    const failure = new SocketFailure("DNS", { phase: "resolve", host: "later.test" });
    await using relay = await TestRelay.start({
      ...{ target: server.port, host: "later.test", udp },
      lookUp: () => isThere ? Promise.resolve(["127.0.0.1"]) : Promise.reject(failure),
    });
    const address = `${udp ? "udp://" : ""}127.0.0.1:${relay.port}`;
    assertEquals(await ask(address, "--timeout", "200ms"), udp ? 124 : 13);
    isThere = true;
    await until(async () => await ask(address, "--timeout", "1s") === 0, "the name resolves");
  });
}

Deno.test("over UDP a client goes on at the new address of a server that has moved", async () => {
  await using server = await startCalc("udp");
  let addresses = ["127.0.0.9"];
  await using relay = await TestRelay.start({
    ...{ target: server.port, host: "moves.test", udp: true },
    lookUp: () => Promise.resolve(addresses),
  });
  const address = `udp://127.0.0.1:${relay.port}`;
  assertEquals(await ask(address, "--timeout", "100ms"), 124);
  addresses = ["127.0.0.1"];
  await until(async () => await ask(address, "--timeout", "300ms") === 0, "it has moved");
});

Deno.test("a relay that is stopped does not wait for the resolver", async () => {
  const failure = new SocketFailure("DNS", { phase: "resolve", host: "mute.test" });
  let lookups = 0;
  const relay = await TestRelay.start({
    ...{ target: 1, host: "mute.test" },
    lookUp: () => lookups++ === 0 ? Promise.reject(failure) : new Promise(() => {}),
  });
  using client = await dialResettable({ ...here, port: relay.port });
  await until(() => lookups === 2, "the client has it looked up");
  const start = performance.now();
  await relay[Symbol.asyncDispose]();
  assertLess(performance.now() - start, 3_000);
  await assertRejects(() => client.read(new Uint8Array(1)), Error, "ECONNRESET");
});

testWith(
  [unix, nameServer],
  "a relay whose server does not resolve yet says so, and listens",
  async () => {
    await using relay = new Process([
      ...[...netdemoCommand, "relay", "--host", "127.0.0.1", "--port", "0"],
      "no-such-host.invalid:1",
    ]);
    const [, port] = await relay.printed(/Listening on 127\.0\.0\.1:(\d+) /);
    await relay.reported(/no-such-host\.invalid.*; it is looked up again for each client/);
    using client = await dialResettable({ ...here, port: Number(port) });
    await assertRejects(() => client.read(new Uint8Array(1)), Error, "ECONNRESET");
    await relay.printed(/is reset: server no-such-host\.invalid:1 can't be reached: E\w+/);
    assertEquals((await relay.stop("SIGTERM")).code, 0);
  },
);

Deno.test("a client that was reset after the handshake reports it, and tries no other address", async () => {
  await using server = await startCalc();
  const port = freePort();
  await using relay = await TestRelay.start({
    ...{ target: server.port, port, addresses: ["127.0.0.1", "::1"], faults: ["reset=0"] },
  });
  for (let count = 1; count <= 20; count++) {
    assertEquals(await ask(`localhost:${port}`), 13);
    assertEquals(relay.relay.connections, count);
  }
});

for (const [code, tried] of [["ENOTCONN", 1], ["ECONNRESET", 1], ["ECONNREFUSED", 2]] as const) {
  Deno.test(`after ${code} ${tried === 1 ? "no other" : "the next"} address is tried`, async () => {
    let count = 0;
    const endpoints = ["127.0.0.1", "::1"].map((hostname) => ({ hostname, port: 1 }));
    await assertRejects(() =>
      firstToAnswer(endpoints, () => {
        count++;
        return Promise.reject(Object.assign(new Error(), { code }));
      }, new AbortController())
    );
    assertEquals(count, tried);
  });
}
