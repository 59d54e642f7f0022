/** What a TCP server needs before others can use it. */
import { canReset } from "../../../sockets/node_stream.ts";
import { CANNOT_RESET, type Check, everyService, Finding, Skipped } from "../check.ts";
import type { Conversation } from "../conversation.ts";
import { nothingWithin, sampleOf } from "../server.ts";
import { connectionsAt, descriptorsOf, usageOf } from "../system.ts";
import type { TcpServer } from "../tcp_server.ts";
import { endsOnCtrlC, restsWhenIdle } from "./process.ts";
import { pause } from "../waits.ts";

/** Requests sent before a reset: enough that it arrives while answers are still being sent. */
const REQUESTS_BEFORE_RESET = 2_000;
/** Milliseconds within which SIGPIPE ends a program that writes to a reset connection. */
const SIGPIPE_MS = 100;
/** Milliseconds within which a reset surely arrives on this host. */
const RESET_MS = 20;
/** Clients that come and go before sockets are counted. */
const CLIENTS = 60;
/** Milliseconds within which the kernel closes the connections of a killed program. */
const END_MS = 5_000;
/** Sockets that may be left: some servers close a little late. */
const MAX_LEFT = CLIENTS / 2;

export const robustServerChecks: readonly Check<TcpServer>[] = [
  {
    id: "hangs-up",
    level: "robust",
    services: everyService,
    sentence: "survives a client that leaves at once",
    how: "Three clients connect and leave without sending anything; another must be answered.",
    why: "port scanners, health checks and impatient people do this all day",
    fix: "if recv() returns nothing, the client has left: close its socket and wait for the next",
    needs: ["next-client"],
    async run(server) {
      for (let times = 0; times < 3; times++) (await server.connect()).close();
      await server.servesAnother("nothing", "a client connected and left without sending anything");
    },
  },
  {
    id: "busy",
    level: "robust",
    services: everyService,
    sentence: "is idle when there is nothing to do",
    how: "The program's CPU time is measured over 0.5 s, after clients have come and gone.",
    why: "a busy loop heats the machine and slows down everything else",
    fix: "leave the loop when recv() returns nothing: that is the end, not an empty message",
    needs: ["hangs-up"],
    async run(server) {
      await server.exchange();
      await restsWhenIdle(server.starter);
    },
  },
  {
    id: "reset",
    level: "robust",
    services: everyService,
    sentence: "survives a client whose connection is reset",
    how:
      "One client resets its connection at once; another sends 2,000 requests and resets while " +
      "it is being answered. Each time, the next client must be answered.",
    why: "a crash on the other side or a closed laptop resets connections",
    fix: "catch the error for that client alone; in C ignore SIGPIPE, in Node listen for 'error'",
    needs: ["hangs-up", "words", "short", "operator", "bytes"],
    async run(server) {
      if (!canReset) throw new Skipped(CANNOT_RESET);
      (await server.connect()).reset();
      await server.servesAnother("nothing", "a client reset its connection");
      if (server.examination.service === "hello") return;
      // A program that SIGPIPE is about to kill in another thread may answer one more client.
      for (let times = 0; times < 2; times++) {
        await resetWhileAnswering(server);
        await server.servesAnother("2,000 requests", "the client reset its connection");
        if (!await server.starter.child?.endsWithin(SIGPIPE_MS)) continue;
        await server.servesAnother("2,000 requests", "the client reset its connection");
      }
    },
  },
  {
    id: "two-clients",
    level: "robust",
    services: ["message", "calc"],
    sentence: "answers one client while another is silent",
    how: "Two clients are connected; the second asks while the first is silent.",
    why: "one user who types nothing would lock out everyone else",
    fix: "give each client its own thread, or use select() or async for all of them",
    needs: ["hangs-up"],
    async run(server) {
      const silent = await server.connect();
      try {
        await server.exchange();
      } catch (error) {
        if (!(error instanceof Finding)) throw error;
        silent.close();
        const alone = await server.exchange().then(() => true, () => false);
        throw new Finding({
          saw:
            `a client that asked got ${
              nothingWithin(server.examination.timeout)
            } while another was connected` +
            (alone ? "; once that one had left, it was answered" : ""),
          isSilence: error.evidence.isSilence,
        });
      }
      silent.close();
    },
  },
  {
    id: "closes",
    level: "robust",
    services: everyService,
    sentence: "closes a connection after its client has",
    how: "After an answer, the client ends its side; the server must close the connection.",
    why: "a connection that is never closed is never freed, and only so many can be open",
    fix: "close() the client's socket in finally, with or defer, so that it always happens",
    needs: ["hangs-up", "busy"],
    async run(server) {
      const { timeout } = server.examination;
      using conversation = await answeredClient(server);
      await conversation.closeWrite();
      if (!await conversation.untilEnd(timeout)) {
        throw new Finding({
          saw: `the connection is still open ${timeout / 1_000} s after the client ended its side`,
          isSilence: true,
        });
      }
    },
  },
  {
    id: "leak",
    level: "robust",
    services: everyService,
    sentence: "keeps no sockets of clients that have left",
    how: "60 clients come and go; then the program's sockets are counted.",
    why: "a server that leaks a socket for each client runs out of them after a few thousand",
    fix: "close() every socket that accept() returned, even after shutdown() and after errors",
    needs: ["closes"],
    run: keepsNoSockets,
  },
  {
    id: "restart",
    level: "robust",
    services: everyService,
    sentence: "can be restarted on its port at once",
    how:
      "The program is killed while a client that was answered is connected, then started again " +
      "on the same port.",
    why: "otherwise you wait a minute after each change: the port counts as in use that long",
    fix: "set SO_REUSEADDR on the socket before bind()",
    needs: ["next-client"],
    async run(server) {
      using conversation = await answeredClient(server);
      const { port } = server.starter;
      server.starter.process().signal("SIGKILL");
      // The server's side closes first; if the client closes cleanly, that side lingers.
      await conversation.untilEnd(END_MS);
      conversation.close();
      try {
        server.keep(await server.start(port));
        server.starter.listenToStderr();
      } catch (error) {
        if (!(error instanceof Finding)) throw error;
        throw new Finding({ saw: `started again on port ${port}: ${error.evidence.saw}` });
      }
      await server.exchange();
    },
  },
  {
    id: "ctrl-c",
    level: "robust",
    services: everyService,
    sentence: "ends on Ctrl-C",
    how:
      "SIGINT is sent as by a terminal, while a client is connected; the program has 3 s to end.",
    why: "a program that can't be stopped must be killed, and loses what it was doing",
    fix: "make threads daemons, or close the listener and the clients on SIGINT",
    needs: ["next-client"],
    run: (server) => endsOnCtrlC(server, () => answeredClient(server)),
  },
];

/** A client that was answered and stays connected. @throws {Finding} */
async function answeredClient(server: TcpServer): Promise<Conversation> {
  const { service, timeout } = server.examination;
  const conversation = await server.connect();
  if (service === "hello") await conversation.untilEnd(timeout);
  else {
    await server.request(conversation, sampleOf(server.examination).request);
    await conversation.until((bytes) => bytes.length > 0, timeout);
  }
  return conversation;
}

/**
 * Resets a connection on which many requests wait for their answers. The program is paused
 * meanwhile: otherwise it may answer all of them before the reset arrives.
 */
async function resetWhileAnswering(server: TcpServer): Promise<void> {
  const conversation = await answeredClient(server);
  const { child } = server.starter;
  child?.signal("SIGSTOP");
  try {
    await conversation.send("10 20 +\n".repeat(REQUESTS_BEFORE_RESET), server.examination.timeout);
    conversation.reset();
    await pause(RESET_MS);
  } finally {
    child?.signal("SIGCONT");
  }
}

async function keepsNoSockets(server: TcpServer): Promise<void> {
  await server.exchange();
  const child = server.starter.process();
  const pids = (await usageOf(child.pid))?.pids ?? [];
  const before = await descriptorsOf(pids);
  let patience = server.examination.timeout;
  for (let client = 0; client < CLIENTS; client++) {
    const conversation = await server.connect();
    await conversation.closeWrite();
    // A server that keeps one keeps them all: don't wait for the others.
    if (!await conversation.untilEnd(patience)) patience = 20;
    conversation.close();
  }
  const until = performance.now() + server.examination.timeout;
  while (true) {
    const connections = await connectionsAt(server.starter.port);
    const descriptors = await descriptorsOf(pids);
    if (connections === undefined && descriptors === undefined) {
      throw new Skipped("no tool here counts sockets");
    }
    const held = Math.max(connections ?? 0, (descriptors ?? 0) - (before ?? 0));
    if (held <= MAX_LEFT) return;
    if (performance.now() > until) {
      throw new Finding({
        saw: `${held} sockets are still held after ${CLIENTS} clients have left`,
      });
    }
    await pause(50);
  }
}
