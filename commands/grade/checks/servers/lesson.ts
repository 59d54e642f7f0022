/** What the lesson's own servers do, over TCP: no line ends, one client at a time. */
import { Finding, Skipped } from "../../../../suite/test.ts";
import { answersWithoutLineEnd, learnRequestEnd, leave } from "../../servers/reactions.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { everyService } from "../../subjects.ts";
import { type Check, NO_PROCESS } from "../check.ts";
import { operations, servesThreeClients } from "./clients_in_turn.ts";

/** Milliseconds that a program gets to prove that it does not wait for a line end. */
const LAST_CHANCE_MS = 3_000;

export const lessonChecks: readonly Check<ServerUnderTest>[] = [
  {
    id: "listens",
    level: "lesson",
    services: everyService,
    sentence: "starts and listens",
    how:
      "The program is started, and the first client tries to connect every 20 ms for up to 10 s. " +
      "If the program listens on another port or address, the report names it.",
    why: "a client can reach a server only at the address and port where it listens",
    fix: "bind() to the given port (in C with htons()), then listen() and accept()",
    limit: 40_000,
    run: (server) => server.isReachable(),
  },
  {
    id: "answers",
    level: "lesson",
    services: ["message", "calc"],
    sentence: { hello: "", message: "thanks for a message", calc: 'answers "10 20 +"' },
    how: "The lesson's request is sent, and every byte of the answer is compared.",
    why: "clients compare bytes: an answer that only looks right is wrong",
    fix: "send exactly the lesson's text, as bytes, with one send()",
    needs: ["listens"],
    run: learnRequestEnd,
  },
  {
    id: "no-newline",
    level: "lesson",
    services: ["message", "calc"],
    sentence: "answers a request without a line end",
    how:
      "A request is sent without a line end; after 1 s a line end follows, then the client ends " +
      "its side. The report says which of them brought the answer.",
    why: "the lesson's client sends no line end: a server that waits for one never answers it",
    fix: "read with recv() instead of readLine(); if your client sends line ends, use --lines",
    needs: ["answers"],
    async run(server) {
      const awaited = server.firstAnswerAfter;
      if (awaited === undefined || awaited === "nothing") return;
      // It may only have been slow to start: one more try, with more time.
      server.markSuspect();
      if (await answersWithoutLineEnd(server, LAST_CHANCE_MS)) {
        server.requestEnd = "nothing";
        return;
      }
      const observed = {
        line: "nothing until a line end was sent, then the answer",
        "end of stream": "nothing until the client ended its side, then the answer",
      };
      throw new Finding({
        sent: `${server.sample.request} (without a line end)`,
        saw: observed[awaited],
      });
    },
  },
  {
    id: "next-client",
    level: { hello: "robust", message: "robust", calc: "lesson" },
    services: everyService,
    sentence: "serves one client after another",
    how: "Three clients connect, each after the previous one has left.",
    why: "a server that ends with its first client must be restarted for the next",
    fix: "put accept() inside the loop, and close only the client's socket",
    needs: ["listens", "answers"],
    run: (server) => servesThreeClients(server, "after the first client had left"),
  },
  operations,
  {
    id: "prints",
    level: "lesson",
    services: ["hello", "message"],
    sentence: {
      hello: "reports that a client has connected",
      message: "shows the message",
      calc: "",
    },
    how:
      "The program's stdout is read. Many languages buffer what they print to a pipe, so empty " +
      "output is not a failure.",
    why: "the person who runs the server wants to see what is going on",
    fix: "print a line for each client or message, and flush stdout",
    needs: ["listens", "answers"], // hello has no "answers"
    run: printsWhatHappens,
  },
];

async function printsWhatHappens(server: ServerUnderTest): Promise<void> {
  const { service, target } = server.settings;
  if (target !== undefined) throw new Skipped(NO_PROCESS);
  const request = service === "message" ? server.question().request : undefined;
  if (request !== undefined) {
    const peer = await server.connect();
    await server.request(peer, request);
    await peer.until((bytes) => bytes.length > 0, server.timeout);
    await leave(server, peer);
  } else await server.exchange();
  const child = server.program.process();
  const shows = (text: string): boolean =>
    request === undefined ? /connect|client|accept/i.test(text) : text.includes(request);
  if (await child.stdout.shows(shows, 300)) return;
  const endedByItself = await child.endsWithin(200) && child.ended?.signal === null;
  // Buffered output appears when the program ends by itself.
  child.signal("SIGINT");
  await child.endsWithin(1_000);
  if (await child.stdout.shows(shows, 300)) return;
  const { text } = child.stdout;
  if (text === "" || !endedByItself) {
    throw new Skipped("nothing appeared on stdout: it may be buffered until it is flushed");
  }
  throw new Finding({
    sent: request,
    saw: `only this on stdout: ${text.trim().split("\n").at(-1) ?? ""}`,
  });
}
