/** What a server over TCP needs that others use. */
import { canReset } from "../../../sockets/node_stream.ts";
import { CANNOT_RESET, type Check, everyService, Finding, Skipped } from "../check.ts";
import type { Conversation } from "../conversation.ts";
import { nothingWithin, sampleOf } from "../server.ts";
import { connectionsAt, descriptorsOf, usageOf } from "../system.ts";
import type { TcpServer } from "../tcp_server.ts";
import { endsOnCtrlC, restsWhenIdle } from "./process.ts";
import { pause } from "../waits.ts";

/** Requests that are sent before a reset: enough that answers are still being sent when it comes. */
const REQUESTS_BEFORE_RESET = 2_000;
/** Milliseconds in which a thread that writes to a connection that is gone ends its program. */
const SIGPIPE_MS = 100;
/** Milliseconds in which a reset is surely there, on this host. */
const RESET_MS = 20;
/** Clients that come and go before it is counted what is left of them. */
const CLIENTS = 60;
/** Milliseconds in which the kernel ends the connections of a program that was ended. */
const END_MS = 5_000;
/** How many may be left: some servers close a little later. */
const MAX_LEFT = CLIENTS / 2;

export const robustServerChecks: readonly Check<TcpServer>[] = [
  {
    id: "hangs-up",
    level: "robust",
    services: everyService,
    sentence: "survives a client that leaves at once",
    seen: "A client connects and closes without a word, three times; another must be answered.",
    why: "port scanners, health checks and impatient people do this all day",
    fix: "if recv() gives nothing, the client is gone: close its socket and wait for the next",
    needs: ["next-client"],
    async run(server) {
      for (let times = 0; times < 3; times++) (await server.connect()).close();
      await server.servesAnother("nothing", "a client connected and left without a word");
    },
  },
  {
    id: "busy",
    level: "robust",
    services: everyService,
    sentence: "rests when nobody is there",
    seen: "The processor time of the program over 0.5 s, after clients have come and gone.",
    why: "a program that runs in circles makes the machine hot and all others slow",
    fix: "leave the loop when recv() gives nothing: that is the end, not an empty message",
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
    seen: "A client resets its connection at once; another one sends 2,000 requests and resets " +
      "while it is being answered. Each time another client must be answered.",
    why: "a laptop that is closed or a crash on the other side resets connections",
    fix: "catch the error for that client alone; in C ignore SIGPIPE, in Node listen to 'error'",
    needs: ["hangs-up", "words", "short", "operator", "bytes"],
    async run(server) {
      if (!canReset) throw new Skipped(CANNOT_RESET);
      (await server.connect()).reset();
      await server.servesAnother("nothing", "a client reset its connection");
      if (server.examination.service === "hello") return;
      // A program that is killed by SIGPIPE in another thread may answer somebody just before.
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
    seen: "Two clients are connected; the second asks while the first says nothing.",
    why: "one person who does not type would lock out everybody else",
    fix: "serve each client in a thread of its own, or use select() or async for all of them",
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
    sentence: "closes a connection when its client has",
    seen: "After an answer the client ends its side; the server must end its own.",
    why: "a connection that is never closed is never given back, and they are limited",
    fix: "close() the client's socket in finally, with or defer, so that it happens in any case",
    needs: ["hangs-up", "busy"],
    async run(server) {
      const { timeout } = server.examination;
      using conversation = await answeredClient(server);
      await conversation.closeWrite();
      if (!await conversation.untilEnd(timeout)) {
        throw new Finding({
          saw: `${
            timeout / 1_000
          } s after the client had ended its side, the connection is still open`,
          isSilence: true,
        });
      }
    },
  },
  {
    id: "leak",
    level: "robust",
    services: everyService,
    sentence: "holds nothing of clients that have left",
    seen: "60 clients come and go; then the program's sockets are counted.",
    why: "a server that keeps something of each client stops after some thousands of them",
    fix: "close() every socket that accept() gave, also after shutdown() and after errors",
    needs: ["closes"],
    run: countsWhatIsLeft,
  },
  {
    id: "restart",
    level: "robust",
    services: everyService,
    sentence: "starts again at once on its port",
    seen: "The program is ended while a client that was answered is connected, and started again " +
      "on the same port.",
    why: "without it you wait a minute after each change: the port counts as in use for so long",
    fix: "set SO_REUSEADDR on the socket before bind()",
    needs: ["next-client"],
    async run(server) {
      using conversation = await answeredClient(server);
      const { port } = server.starter;
      server.starter.process().signal("SIGKILL");
      // The server's side closes first, and a client that closes well leaves it lingering.
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
    seen: "SIGINT, as a terminal sends it, while a client is connected; 3 s to end.",
    why: "a program that can't be stopped must be killed, and loses what it was doing",
    fix: "make threads daemons, or close the listener and the clients when SIGINT comes",
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
 * Resets a connection on which many requests wait for their answers. The program is held for that
 * moment: otherwise it may be done with them before the reset is there.
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

async function countsWhatIsLeft(server: TcpServer): Promise<void> {
  await server.exchange();
  const child = server.starter.process();
  const pids = (await usageOf(child.pid))?.pids ?? [];
  const before = await descriptorsOf(pids);
  let patience = server.examination.timeout;
  for (let client = 0; client < CLIENTS; client++) {
    const conversation = await server.connect();
    await conversation.closeWrite();
    // A server that keeps one keeps them all: the others are not waited for.
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
