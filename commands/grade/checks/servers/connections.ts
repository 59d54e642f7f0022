/** How a TCP server treats several connections, and connections that end. */
import { delay } from "@std/async/delay";
import { concat } from "@std/bytes/concat";
import { canReset } from "../../../../sockets/runtime.ts";
import { Finding, Skipped } from "../../../../suite/test.ts";
import { formatDuration } from "../../../../protocol/duration.ts";
import { render } from "../../../../talk/render.ts";
import { firstRequest, hasOneClient, requestsOf, sampleOf } from "../../conversations.ts";
import { withEvidence } from "../../evidence.ts";
import { connectionsAt, descriptorsOf, usageOf } from "../../program/system.ts";
import { Client, exchange, exchangeAgain, sampleHolding } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { servesAnother } from "../../servers/survival.ts";
import { EagerPeer } from "../../../../sockets/eager_peer.ts";
import { CANNOT_RESET, type Check } from "../check.ts";
import { lacksOneClient, lacksRequest } from "../lacks.ts";

const LF = 0x0a;

/** Requests sent before a reset: enough that it arrives while answers are still being sent. */
const REQUESTS_BEFORE_RESET = 2_000;
/** Milliseconds within which SIGPIPE ends a program that writes to a reset connection. */
const SIGPIPE_MS = 100;
/** Milliseconds within which a reset surely arrives on this host. */
const RESET_MS = 20;
/** Clients that come and go before sockets are counted. */
const CLIENTS = 60;
/** Clients at a time that ask something. */
const AT_A_TIME = 10;
/** Descriptors that may be left: a runtime may open some of its own. */
const MAX_LEFT = 5;

export const hangsUp: Check<ServerUnderTest> = {
  id: "hangs-up",
  level: "robust",
  sentence: "survives a client that leaves at once",
  how: "Three clients connect and leave without sending anything; another must be answered.",
  why: "port scanners, health checks and impatient people do this all day",
  fix: "if recv() returns nothing, the client has left: close its socket and wait for the next",
  needs: ["listens", "answers"],
  async run(server) {
    // One that serves a single client has served it then.
    const times = server.servesSeveral ? 3 : 1;
    for (let client = 0; client < times; client++) {
      // A greeting that is not read would turn the end into a reset.
      using leaving = new Client(server);
      await leaving.begin();
    }
    await servesAnother(server, "nothing", "a client connected and left without sending anything");
  },
};

export const connectionChecks: readonly Check<ServerUnderTest<EagerPeer>>[] = [
  {
    id: "reset",
    level: "robust",
    sentence: "survives a client whose connection is reset",
    how:
      "One client resets its connection at once; another sends 2,000 requests and resets while " +
      "it is being answered. Each time, the next client must be answered.",
    why: "a crash on the other side or a closed laptop resets connections",
    fix:
      "catch the error for that client alone; in C on Unix ignore SIGPIPE, in Node listen for 'error'",
    needs: ["hangs-up", "words", "short", "operator", "bytes", "mistake-1"],
    async run(server) {
      if (!canReset) throw new Skipped(CANNOT_RESET);
      (await server.connect()).reset();
      await servesAnother(server, "nothing", "a client reset its connection");
      // What a flood said may still be on its way to the other clients of the next conversation.
      const canFlood = firstRequest(server.talk) !== undefined &&
        hasOneClient(sampleOf(server.talk));
      if (!canFlood) return;
      // A program that SIGPIPE is about to kill in another thread may answer one more client.
      for (let times = 0; times < 2; times++) {
        await resetWhileAnswering(server);
        await servesAnother(server, "2,000 requests", "the client reset its connection");
        if (!await server.program.child?.endsWithin(SIGPIPE_MS)) continue;
        await servesAnother(server, "2,000 requests", "the client reset its connection");
      }
    },
  },
  {
    id: "two-clients",
    level: "robust",
    sentence: "answers one client while another is silent",
    how: "Two clients are connected; the second asks while the first is silent.",
    why: "one user who types nothing would lock out everyone else",
    fix: "give each client its own thread, or use select() or async for all of them",
    needs: ["next-client", "hangs-up"],
    lacks: (subject) => lacksOneClient(subject) ?? lacksRequest(subject),
    async run(server) {
      using silent = new Client(server);
      await silent.begin();
      await withEvidence(exchange(server), async ({ isSilence }) => {
        silent[Symbol.dispose]();
        const alone = await exchange(server).then(() => true, () => false);
        const saw = `a client that asked got nothing within ${formatDuration(server.timeout)} ` +
          "while another was connected" +
          (alone ? "; once that one had left, it was answered" : "");
        return { saw, isSilence };
      });
    },
  },
  {
    id: "closes",
    level: "robust",
    sentence: "closes a connection after its client has",
    how:
      "After an answer, the client ends its side; the server must close the connection, at the " +
      "latest when its next client has been answered.",
    why: "a connection that is never closed is never freed, and only so many can be open",
    fix: "close() the client's socket in finally, with or defer, so that it always happens",
    needs: ["next-client", "hangs-up", "busy"],
    async run(server) {
      const { timeout } = server;
      using client = new Client(server, sampleHolding(server));
      await client.hold();
      const peers = client.peers.filter((peer) => peer instanceof EagerPeer);
      const ended = async (): Promise<boolean> => {
        const all = await Promise.all(peers.map((peer) => peer.untilEnd(timeout / 2)));
        return all.every((isEnded) => isEnded);
      };
      await Promise.all(peers.map((peer) => peer.closeWrite(timeout)));
      if (await ended()) return;
      // One that answers a single request for each client may close with the next one.
      await exchangeAgain(server);
      if (await ended()) return;
      throw new Finding({
        saw: `the connection is still open ${timeout / 1_000} s after the client ended its side`,
        isSilence: true,
      });
    },
  },
  {
    id: "leak",
    level: "robust",
    sentence: "keeps no sockets of clients that have left",
    how:
      "60 clients come and go, 30 of them with an answer; then the program's sockets are counted.",
    why: "a server that leaks a socket for each client runs out of them after a few thousand",
    fix: "close() every socket that accept() returned, even after shutdown() and after errors",
    needs: ["next-client", "closes"],
    // A server that lets its clients talk to each other remembers all of them.
    lacks: lacksOneClient,
    run: keepsNoSockets,
  },
];

/**
 * Resets a connection on which many requests wait for their answers. The program is paused
 * meanwhile: otherwise it may answer all of them before the reset arrives.
 */
async function resetWhileAnswering(server: ServerUnderTest<EagerPeer>): Promise<void> {
  using client = new Client(server);
  const peer = await client.begin();
  const { program: { child }, talk, settings: { random } } = server;
  const [request] = requestsOf(client.conversation);
  const bytes = render(request?.tokens ?? [], new Map(client.values), { talk, random });
  const line = bytes.at(-1) === LF ? bytes : concat([bytes, Uint8Array.of(LF)]);
  child?.signal("SIGSTOP");
  try {
    await peer.send(concat(Array(REQUESTS_BEFORE_RESET).fill(line)), server.timeout);
    peer.reset();
    await delay(RESET_MS);
  } finally {
    child?.signal("SIGCONT");
  }
}

async function keepsNoSockets(server: ServerUnderTest<EagerPeer>): Promise<void> {
  await exchangeAgain(server);
  if (!server.servesSeveral) throw new Skipped("it was not seen to serve several clients");
  const child = server.program.process();
  const pids = (await usageOf(child.pid))?.pids ?? [];
  const before = await descriptorsOf(pids);
  for (let clients = 0; clients < CLIENTS / 2; clients += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, () => exchangeAgain(server)));
  }
  let patience = server.timeout;
  for (let client = 0; client < CLIENTS / 2; client++) {
    const peer = await server.connect();
    await peer.closeWrite();
    // A server that keeps one keeps them all: don't wait for the others.
    if (!await peer.untilEnd(patience)) patience = 20;
    peer.close();
  }
  const until = performance.now() + server.timeout;
  while (true) {
    const connections = await connectionsAt(server.program.port);
    const descriptors = await descriptorsOf(pids);
    const held = Math.max(connections ?? 0, (descriptors ?? 0) - (before ?? 0));
    if (held <= MAX_LEFT) {
      if (descriptors !== undefined) return;
      // One that was shut down is no connection any more, and still the program's.
      throw new Skipped("no tool here counts the sockets that a program holds");
    }
    if (performance.now() > until) {
      throw new Finding({
        saw: `${held} sockets are still held after ${CLIENTS} clients have left`,
      });
    }
    await delay(50);
  }
}
