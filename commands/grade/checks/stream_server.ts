/** What servers must do whose requests are lines, however TCP splits them. */
import { calculate } from "../../../protocol/calculator.ts";
import { type Check, Finding } from "../check.ts";
import type { Conversation } from "../conversation.ts";
import { type Expected, judge, shown } from "../judge.ts";
import { freshQuestion, type Question, sampleOf } from "../server.ts";
import type { TcpServer } from "../tcp_server.ts";

/** Milliseconds between the pieces of a request: enough to see whether the first is answered. */
const PIECE_MS = 80;
/** Milliseconds that the long request may take: some languages are slow with huge numbers. */
const LONG_MS = 8_000;
/** Digits of the long request. */
const DIGITS = 60_000;

export const streamServerChecks: readonly Check<TcpServer>[] = [
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
      await onConnection(server, async (conversation) => {
        await expectLine(server, conversation, freshQuestion(server.examination));
      });
      if (server.examination.lines) return;
      await onConnection(server, async (conversation) => {
        const { request, expected } = freshQuestion(server.examination);
        await conversation.send(request, server.examination.timeout);
        await server.answered(conversation, expected, request);
        await conversation.until((bytes) => bytes.at(-1) === 0x0a, 30);
        await server.answered(conversation, { ...expected, lineEnd: false }, request);
      });
    },
  },
  {
    id: "split",
    level: "stream",
    services: ["message", "calc"],
    sentence: "accepts a line that arrives in pieces",
    how: "A request is sent in three pieces, 80 ms apart; no answer may come before the line end.",
    why: "TCP carries bytes, not messages: what was sent at once may arrive in pieces",
    fix: "collect what recv() returns, and handle a request only once its line end is there",
    needs: ["in-kind"],
    run: (server) => onConnection(server, (conversation) => sendInPieces(server, conversation)),
  },
  {
    id: "glued",
    level: "stream",
    services: ["message", "calc"],
    sentence: "answers several lines that arrive at once",
    how: "Three requests are sent in one write; three answers must come back, in order.",
    why: "TCP carries bytes, not messages: what was sent separately may arrive together",
    fix: "split the input at each line end, answer each line, keep the rest for the next recv()",
    needs: ["in-kind"],
    run: (server) =>
      onConnection(server, async (conversation) => {
        const questions = [1, 2, 3].map(() => freshQuestion(server.examination));
        const all = questions.map(({ request }) => `${request}\n`).join("");
        await conversation.send(all, server.examination.timeout);
        await expectLines(server, conversation, questions, all);
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
    run: (server) => onConnection(server, (conversation) => sendLongLine(server, conversation)),
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
      onConnection(server, async (conversation) => {
        const questions = [1, 2].map(() => freshQuestion(server.examination));
        const all = questions.map(({ request }) => `${request}\n`).join("");
        await conversation.send(all, server.examination.timeout);
        await conversation.closeWrite();
        await expectLines(server, conversation, questions, all);
      }),
  },
];

async function onConnection(
  server: TcpServer,
  converse: (conversation: Conversation) => Promise<void>,
): Promise<void> {
  const conversation = await server.connect();
  try {
    await converse(conversation);
  } finally {
    conversation.close();
  }
}

async function expectLine(
  server: TcpServer,
  conversation: Conversation,
  { request, expected }: Question,
): Promise<void> {
  conversation.forget();
  await conversation.send(`${request}\n`, server.examination.timeout);
  await server.answered(conversation, { ...expected, lineEnd: true }, `${request}\\n`);
}

async function expectLines(
  server: TcpServer,
  conversation: Conversation,
  questions: readonly Question[],
  sent: string,
): Promise<void> {
  const text = questions.map(({ expected }) => expected.text).join("\n");
  await server.answered(conversation, { text, lineEnd: true }, sent);
}

async function sendInPieces(server: TcpServer, conversation: Conversation): Promise<void> {
  const { service, timeout } = server.examination;
  // Once a connection has had a line end, only a line end may end a request.
  await expectLine(server, conversation, freshQuestion(server.examination));
  conversation.forget();
  const { request, expected } = sampleOf(server.examination);
  const pieces = service === "calc" ? ["10 2", "0 ", "+\n"] : ["Hello Ser", "ver H", "BD\n"];
  for (const [index, piece] of pieces.entries()) {
    await conversation.send(piece, timeout);
    const isLast = index === pieces.length - 1;
    if (!isLast && await conversation.until((bytes) => bytes.length > 0, PIECE_MS)) {
      throw new Finding({
        sent: `${pieces.slice(0, index + 1).map(shown).join(" | ")} (no line end yet)`,
        saw: `an answer already: ${shown(conversation.bytes)}`,
      });
    }
  }
  const sent = `${pieces.map(shown).join(" | ")} (${request} in pieces)`;
  await server.answered(conversation, { ...expected, lineEnd: true }, sent);
}

async function sendLongLine(server: TcpServer, conversation: Conversation): Promise<void> {
  const { service, timeout } = server.examination;
  const request = service === "calc" ? `${"7".repeat(DIGITS)} 1 +` : "x".repeat(DIGITS);
  const right: Expected = service === "calc"
    ? { text: calculate(request), lineEnd: true }
    : { text: "Thanks...", lineEnd: true };
  conversation.forget();
  await conversation.send(`${request}\n`, timeout);
  await conversation.until((bytes) => bytes.at(-1) === 0x0a, Math.max(timeout, LONG_MS));
  const answer = new TextDecoder().decode(conversation.bytes);
  // Some languages limit the digits of an integer: an error is an answer too, if it is one line.
  if (!/^Error[^\n]*\n$/i.test(answer) && judge(conversation.bytes, right) !== "right") {
    await server.answered(conversation, right, request);
  }
  if (conversation.end !== undefined) return; // it may close after a line that is too long
  try {
    await expectLine(server, conversation, freshQuestion(server.examination));
  } catch (error) {
    if (!(error instanceof Finding) || conversation.end !== undefined) return;
    throw new Finding({
      ...error.evidence,
      sent: `${DIGITS} ${
        service === "calc" ? "digits" : "letters"
      } and a line end, then ${error.evidence.sent}`,
    });
  }
}
