/** What servers must do whose requests show their ends, however TCP splits them. */
import { concat } from "@std/bytes/concat";
import { delay } from "@std/async/delay";
import type { EagerPeer } from "../../../../sockets/eager_peer.ts";
import { Finding } from "../../../../suite/test.ts";
import { render } from "../../../../talk/render.ts";
import { integer, parseRational } from "../../../../talk/rational.ts";
import type { Line } from "../../../../talk/talk.ts";
import { numberValue, type Value } from "../../../../talk/value.ts";
import {
  blindRequests,
  type Chosen,
  framedOf,
  longName,
  repeatedIn,
  sampleOf,
  severalOf,
} from "../../conversations.ts";
import { shown, withEvidence } from "../../evidence.ts";
import { Client, exchange, type Holding } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Subject } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { lacksFrames, lacksLong, lacksRepeats, lacksSeveral } from "../lacks.ts";
import { apart, split } from "./pieces.ts";

/** Digits or letters of the long request: as many digits as a conversation can hold. */
const LONG = 9_000;
/** Milliseconds within which a line end that is too much usually arrives. */
const LINE_END_MS = 30;

const LF = 0x0a;

const STRIP = "take the line end off the request before you use it: strip() in Python, trim()";

export const inKind: Check<ServerUnderTest> = {
  id: "in-kind",
  level: "stream",
  sentence: "answers a line with a line",
  how:
    "A request with a line end must get an answer with one; a request without, an answer without.",
  why: "the line end is how a client knows that an answer is complete",
  fix: 'end the answer with "\\n" if the request ended with one',
  needs: ["answers"],
  lacks: lacksOpenEnd,
  run: answersInKind,
};

export const streamChecks: readonly Check<ServerUnderTest<EagerPeer>>[] = [
  inKind,
  {
    id: "several",
    level: "stream",
    sentence: "answers several requests on one connection",
    how: "Three requests are sent on one connection, each once the one before was answered.",
    why: "a connection costs time: a client that has more to ask keeps the one that it has",
    fix: "put recv() in a loop: it answered the first request on a connection and not the second",
    needs: ["answers", "in-kind"],
    lacks: (subject) => lacksFrames(subject) ?? lacksRepeats(subject),
    run: answersSeveral,
  },
  ...[split, apart],
  {
    id: "glued",
    level: "stream",
    sentence: "answers several requests that arrive at once",
    how: "Several requests are sent in one write; all answers must come back, in order.",
    why: "TCP carries bytes, not messages: what was sent separately may arrive together",
    fix: "split the input at each end, answer each request, keep the rest for the next recv()",
    needs: ["answers", "in-kind", "several"],
    lacks: (subject) => lacksFrames(subject) ?? lacksSeveral(subject),
    run: (server) => askBlindly(server, severalOf(server.settings.subject.lines)),
  },
  {
    id: "long",
    level: "stream",
    sentence: "accepts a request longer than one recv()",
    how:
      `A request of ${LONG} digits or letters must get one answer, right or an error; the next ` +
      "request on the same connection must get its own answer.",
    why: "recv(1024) returns part of a long request: the rest must not become the next request",
    fix: "collect until the request's end; set a limit, and answer longer ones with an error",
    needs: ["split", "big"],
    lacks: (subject) => lacksFrames(subject) ?? lacksRepeats(subject) ?? lacksLong(subject),
    run: readsLongRequest,
  },
  {
    id: "half-close",
    level: "stream",
    sentence: "answers a client that has ended its side",
    how: "The client sends its requests and ends its side: all answers must still arrive.",
    why: "a client in a pipe sends all it has, ends its side, and reads the answers",
    fix: "answer every request before you close: the end of input is no reason to drop answers",
    needs: ["split", "glued"],
    lacks: (subject) =>
      lacksFrames(subject) ??
        (blindRequests(framedOf(subject.lines).conversation) === undefined
          ? "a request depends on an answer"
          : undefined),
    run: (server) => askBlindly(server, severalOf(server.settings.subject.lines), true),
  },
];

function lacksOpenEnd({ talk }: Subject): string | undefined {
  const isOpen = (says: Line["says"]): boolean =>
    sampleOf(talk).lines.filter((line) => line.says === says).some(({ tokens }) =>
      tokens.at(-1)?.kind === "optional newline"
    );
  return isOpen("client") && isOpen("server") ? undefined : "the file shows where its lines end";
}

async function answersSeveral(server: ServerUnderTest): Promise<void> {
  using client = new Client(server, repeatedIn(server.settings.subject.lines, 3));
  await withEvidence(client.hold(), (evidence) => {
    const hasAnswered = client.reply !== undefined;
    const isSilent = client.deviation?.came.length === 0;
    return hasAnswered && isSilent ? { ...evidence, fix: undefined, why: undefined } : evidence;
  });
}

async function answersInKind(server: ServerUnderTest): Promise<void> {
  const { lines } = server.settings.subject;
  // Without a line end it answers rightly.
  await withEvidence(exchange(server, { talk: lines }), (evidence) => ({
    ...evidence,
    fix: evidence.blames === undefined ? evidence.fix : evidence.fix ?? STRIP,
  }));
  // One that waits for a line end has failed no-newline.
  if (server.requestEnd !== "nothing") return;
  using client = new Client(server);
  await client.hold();
  await delay(LINE_END_MS);
  const [peer] = client.peers;
  const late = peer !== undefined && "peek" in peer ? peer.peek() : new Uint8Array();
  const reply = client.reply?.bytes ?? new Uint8Array();
  if (reply.at(-1) !== LF && late.at(-1) !== LF) return;
  const bare = new TextDecoder().decode(reply).trimEnd();
  throw new Finding({
    want: bare,
    saw: `${bare}\\n\n${" ".repeat(bare.length)}^ a line end, though the request had none`,
    fix: "answer in kind: a request without a line end gets its answer without one",
  });
}

/** Sends all requests at once, and then reads the answers. @throws {Finding} */
async function askBlindly(
  server: ServerUnderTest,
  { talk, conversation }: Chosen,
  ends = false,
): Promise<void> {
  const { random } = server.settings;
  const requests = blindRequests(conversation) ?? [];
  const [first] = requests;
  using opening = new Client(server, { talk, conversation });
  const peer = await opening.begin() as EagerPeer;
  const values = new Map<string, Value>(opening.values);
  const all = concat(requests.map(({ tokens }) => render(tokens, values, { talk, random })));
  await peer.send(all, server.timeout);
  if (ends) await peer.closeWrite(server.timeout);
  const replies = conversation.lines.filter(({ says, number }) =>
    says === "server" && number > (first?.number ?? 0)
  );
  const reading: Holding = {
    talk,
    conversation: { ...conversation, lines: replies },
    values,
    open: () => Promise.resolve(peer),
  };
  await withEvidence(exchange(server, reading), (evidence) => ({ ...evidence, sent: shown(all) }));
}

async function readsLongRequest(server: ServerUnderTest<EagerPeer>): Promise<void> {
  const { subject } = server.settings;
  const name = longName(subject.lines) ?? "";
  const { talk, conversation } = framedOf(subject.lines);
  const long: Value = talk.numbers.has(name)
    ? numberValue(parseRational("7".repeat(LONG)) ?? integer(7n))
    : { kind: "word", bytes: new TextEncoder().encode("x".repeat(LONG)) };
  const peer = await server.connect();
  const open = (): Promise<EagerPeer> => Promise.resolve(peer);
  using client = new Client(server, { talk, conversation, values: new Map([[name, long]]), open });
  try {
    await client.hold();
  } catch (error) {
    const { came = new Uint8Array(), kind } = client.deviation ?? {};
    const answer = new TextDecoder().decode(came);
    // Some languages limit the digits of an integer: an error is an answer too, if it is one line.
    const isError = kind === "wrong" && /^[^\n]+\n?$/.test(answer) &&
      (!subject.calculates || /^Error/i.test(answer));
    if (!isError) throw error;
  }
  if (peer.ending !== undefined) return; // it may close after a request that is too long
  try {
    await new Client(server, { talk, conversation, open }).hold();
  } catch (error) {
    if (!(error instanceof Finding) || peer.ending !== undefined) return;
    throw new Finding({
      ...error.evidence,
      sent: `${LONG} characters and the end of the request, then ${error.evidence.sent}`,
    });
  }
}
