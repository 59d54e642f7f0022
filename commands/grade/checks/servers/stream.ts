/** What servers must do whose requests are lines, however TCP splits them. */
import { calculate } from "../../../../protocol/calculator.ts";
import { Finding } from "../../../../suite/test.ts";
import { type Expected, judge, shown } from "../../judge.ts";
import type { Question } from "../../questions.ts";
import type { Peer } from "../../servers/peer.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Check } from "../check.ts";

/** Milliseconds between the pieces of a request: enough to see whether the first is answered. */
const PIECE_MS = 80;
/** Milliseconds that the long request may take: some languages are slow with huge numbers. */
const LONG_MS = 8_000;
/** Digits of the long request. */
const DIGITS = 60_000;

export const streamChecks: readonly Check<ServerUnderTest>[] = [
  {
    id: "in-kind",
    level: "stream",
    services: ["message", "calc"],
    sentence: "answers a line with a line",
    how:
      "A request with a line end must get an answer with one; a request without, an answer without.",
    why: "the line end is how a client knows that an answer is complete",
    fix: 'end the answer with "\\n" if the request ended with one',
    needs: ["answers"],
    async run(server) {
      await onConnection(server, async (peer) => {
        await expectLine(server, peer, server.question());
      });
      // One that waits for a line end has failed no-newline.
      if (server.requestEnd !== "nothing") return;
      await onConnection(server, async (peer) => {
        const { request, expected } = server.question();
        await peer.send(request, server.timeout);
        await server.answered(peer, expected, request);
        await peer.until((bytes) => bytes.at(-1) === 0x0a, 30);
        await server.answered(peer, { ...expected, lineEnd: false }, request);
      });
    },
  },
  {
    id: "several",
    level: "stream",
    services: ["message", "calc"],
    sentence: "answers several requests on one connection",
    how: "Three lines are sent on one connection, each once the one before was answered.",
    why: "a connection costs time: a client that has more to ask keeps the one that it has",
    fix: "put recv() in a loop: it answered the first request on a connection and not the second",
    needs: ["in-kind"],
    run: (server) =>
      onConnection(server, async (peer) => {
        for (let times = 0; times < 3; times++) await expectLine(server, peer, server.question());
      }),
  },
  {
    id: "split",
    level: "stream",
    services: ["message", "calc"],
    sentence: "accepts a line that arrives in pieces",
    how: "A request is sent in three pieces, 80 ms apart; no answer may come before the line end.",
    why: "TCP carries bytes, not messages: what was sent at once may arrive in pieces",
    fix: "collect what recv() returns, and handle a request only once its line end is there",
    needs: ["several"],
    run: (server) => onConnection(server, (peer) => sendInPieces(server, peer)),
  },
  {
    id: "glued",
    level: "stream",
    services: ["message", "calc"],
    sentence: "answers several lines that arrive at once",
    how: "Three requests are sent in one write; three answers must come back, in order.",
    why: "TCP carries bytes, not messages: what was sent separately may arrive together",
    fix: "split the input at each line end, answer each line, keep the rest for the next recv()",
    needs: ["several"],
    run: (server) =>
      onConnection(server, async (peer) => {
        const questions = [1, 2, 3].map(() => server.question());
        const all = questions.map(({ request }) => `${request}\n`).join("");
        await peer.send(all, server.timeout);
        await expectLines(server, peer, questions, all);
      }),
  },
  {
    id: "long",
    level: "stream",
    services: ["message", "calc"],
    sentence: "accepts a line longer than one recv()",
    how: "A request of 60,000 digits or letters must get one right answer or one error; the next " +
      "request on the same connection must get its own answer.",
    why: "recv(1024) returns part of a long request: the rest must not become the next request",
    fix: "collect until the line end; set a limit, and answer longer lines with an error",
    needs: ["split", "big"],
    run: (server) => onConnection(server, (peer) => sendLongLine(server, peer)),
  },
  {
    id: "half-close",
    level: "stream",
    services: ["message", "calc"],
    sentence: "answers a client that has ended its side",
    how: "The client sends two requests and ends its side: both answers must still arrive.",
    why: "a client in a pipe sends all it has, ends its side, and reads the answers",
    fix: "answer every request before you close: the end of input is no reason to drop answers",
    needs: ["glued"],
    run: (server) =>
      onConnection(server, async (peer) => {
        const questions = [1, 2].map(() => server.question());
        const all = questions.map(({ request }) => `${request}\n`).join("");
        await peer.send(all, server.timeout);
        await peer.closeWrite();
        await expectLines(server, peer, questions, all);
      }),
  },
];

async function onConnection(
  server: ServerUnderTest,
  converse: (peer: Peer) => Promise<void>,
): Promise<void> {
  const peer = await server.connect();
  try {
    await converse(peer);
  } finally {
    peer.close();
  }
}

async function expectLine(
  server: ServerUnderTest,
  peer: Peer,
  { request, expected }: Question,
): Promise<void> {
  peer.take();
  await peer.send(`${request}\n`, server.timeout);
  await server.answered(peer, { ...expected, lineEnd: true }, `${request}\\n`);
}

async function expectLines(
  server: ServerUnderTest,
  peer: Peer,
  questions: readonly Question[],
  sent: string,
): Promise<void> {
  const text = questions.map(({ expected }) => expected.text).join("\n");
  await server.answered(peer, { text, lineEnd: true }, sent);
}

async function sendInPieces(server: ServerUnderTest, peer: Peer): Promise<void> {
  const { settings: { service }, timeout } = server;
  // Once a connection has had a line end, only a line end may end a request.
  await expectLine(server, peer, server.question());
  peer.take();
  const { request, expected } = server.sample;
  const pieces = service === "calc" ? ["10 2", "0 ", "+\n"] : ["Hello Ser", "ver H", "BD\n"];
  for (const [index, piece] of pieces.entries()) {
    await peer.send(piece, timeout);
    const isLast = index === pieces.length - 1;
    if (!isLast && await peer.until((bytes) => bytes.length > 0, PIECE_MS)) {
      throw new Finding({
        sent: `${pieces.slice(0, index + 1).map(shown).join(" | ")} (no line end yet)`,
        saw: `an answer already: ${shown(peer.peek())}`,
      });
    }
  }
  const sent = `${pieces.map(shown).join(" | ")} (${request} in pieces)`;
  await server.answered(peer, { ...expected, lineEnd: true }, sent);
}

async function sendLongLine(server: ServerUnderTest, peer: Peer): Promise<void> {
  const { settings: { service }, timeout } = server;
  const request = service === "calc" ? `${"7".repeat(DIGITS)} 1 +` : "x".repeat(DIGITS);
  const right: Expected = service === "calc"
    ? { text: calculate(request), lineEnd: true }
    : { text: "Thanks...", lineEnd: true };
  peer.take();
  await peer.send(`${request}\n`, timeout);
  await peer.until((bytes) => bytes.at(-1) === 0x0a, Math.max(timeout, LONG_MS));
  const answer = new TextDecoder().decode(peer.peek());
  // Some languages limit the digits of an integer: an error is an answer too, if it is one line.
  if (!/^Error[^\n]*\n$/i.test(answer) && judge(peer.peek(), right) !== "right") {
    await server.answered(peer, right, request);
  }
  if (peer.ending !== undefined) return; // it may close after a line that is too long
  try {
    await expectLine(server, peer, server.question());
  } catch (error) {
    if (!(error instanceof Finding) || peer.ending !== undefined) return;
    throw new Finding({
      ...error.evidence,
      sent: `${DIGITS} ${
        service === "calc" ? "digits" : "letters"
      } and a line end, then ${error.evidence.sent}`,
    });
  }
}
