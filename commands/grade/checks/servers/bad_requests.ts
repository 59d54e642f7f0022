/** What a server must survive whatever it speaks, over TCP and UDP alike. */
import { concat } from "@std/bytes/concat";
import { type Evidence, Finding } from "../../../../suite/test.ts";
import { render } from "../../../../talk/render.ts";
import {
  type Conversation,
  type Line,
  namesIn,
  type Talk,
  type Token,
} from "../../../../talk/talk.ts";
import { numberValue, type Value } from "../../../../talk/value.ts";
import { integer } from "../../../../talk/rational.ts";
import { firstRequest, isText, sampleOf } from "../../conversations.ts";
import { shown } from "../../evidence.ts";
import { Client, tells } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { provoke, reactionOf, sendTo, survives } from "../../servers/survival.ts";
import type { Subject } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { lacksOneClient, lacksRequest } from "../lacks.ts";

/** Letters of a word that is too long. */
const LONG = 900;
/** The checks of what a file says may be sent wrongly: the other checks assume that these pass. */
const MISTAKES = ["words", "short", ...Array.from({ length: 9 }, (_, i) => `mistake-${i + 1}`)];
/** Code that has the length of a word as its value, in the languages that can run what they are sent. */
const CODES = [(word: string) => `len("${word}")`, (word: string) => `"${word}".length`];
/** Of one alone, the right number may stand in an error by chance: of 64 bits, say. */
const WORDS = ["abc", "abcdefg", "abcdefghijk"];

const encoder = new TextEncoder();

/** The mistakes of a file, each a check of its own. */
export function mistakeChecks({ talk }: Subject): readonly Check<ServerUnderTest>[] {
  return mistakesIn(talk).map((line, index) => ({
    id: `mistake-${index + 1}`,
    level: "robust",
    sentence: `survives "${line.source.replace(/^! ?/, "")}"`,
    how: "This is sent. Any answer will do, but another client must be answered afterwards.",
    why: "one client's bad request must not end the server for all others",
    fix: "check what came before you use it; if it is wrong, answer an error and go on",
    needs: ["answers"],
    run: (server) => survives(server, wrongdoingOf(server, line)),
  }));
}

function mistakesIn({ conversations }: Talk): readonly Line[] {
  return conversations.flatMap(({ lines }) => lines).filter(({ says }) => says === "mistake");
}

/** What a line with ! sends, and where. */
function wrongdoingOf(server: ServerUnderTest, { number }: Line) {
  const { talk, settings: { random } } = server;
  const conversation =
    talk.conversations.find(({ lines }) => lines.some((line) => line.number === number)) ??
      sampleOf(talk);
  const before = conversation.lines.find((line) => line.number === number) as Line;
  const bytes = render(before.tokens, new Map(), { talk, random });
  return { bytes, place: { conversation, before } };
}

export const badRequestChecks: readonly Check<ServerUnderTest>[] = [
  {
    id: "bytes",
    level: "robust",
    sentence: "survives bytes that are not text",
    how: "The bytes ff fe, which are not UTF-8, are sent; another client must be answered " +
      "afterwards.",
    why: "a network delivers bytes, and not all bytes are text",
    fix: "catch the decoding error, or decode with a replacement character",
    needs: ["answers", "short"],
    lacks: (subject) =>
      lacksPlace(subject) ?? (isText(subject.talk) ? undefined : "its requests are not text"),
    run: (server) =>
      survives(server, {
        bytes: concat([Uint8Array.of(0xff, 0xfe), lineEndOf(firstRequest(server.talk)?.tokens)]),
        isBinary: true,
      }),
  },
  {
    id: "long-word",
    level: "robust",
    sentence: `survives a word of ${LONG} characters`,
    how: `${LONG} letters are sent in place of the first value; another client must be answered ` +
      "afterwards.",
    why: "writing past the end of an array crashes the program or lets an attacker in",
    fix: "give every copy a limit: %15s in scanf, snprintf() instead of strcpy()",
    needs: ["answers", ...MISTAKES],
    lacks: (subject) =>
      lacksPlace(subject) ??
        (firstValue(firstRequest(subject.talk)) ? undefined : "the request has no value"),
    run: (server) => survives(server, { bytes: withWord(server, "x".repeat(LONG)) }),
  },
  {
    id: "eval",
    level: "robust",
    sentence: "does not run what clients send",
    how: 'len("abc") and "abc".length are sent in place of a number: only a program that runs ' +
      "them as code knows the right answer.",
    why: "anyone who can make a server run an expression can make it delete files or open a shell",
    fix: "convert the operands to integers and choose the operation with if, never with eval()",
    needs: ["answers"],
    lacks: (subject) =>
      calculatedName(subject.talk) === undefined ? "no request is calculated with" : undefined,
    run: runsNoCode,
  },
  {
    id: "stale",
    level: "robust",
    sentence: "answers a bad request with something of its own",
    how: "After a good exchange something wrong is sent: the answer must not be the one before.",
    why: "an answer that is left from another request looks right, and is not",
    fix: "clear the answer at each request, and send only what this request gave",
    needs: ["answers", ...MISTAKES],
    lacks: (subject) =>
      lacksPlace(subject) ?? lacksMistakes(subject) ?? lacksChangingReply(subject),
    run: answersAfresh,
  },
];

/** Why nothing can be sent in place of the first request. */
function lacksPlace(subject: Subject): string | undefined {
  return lacksOneClient(subject) ?? lacksRequest(subject);
}

function lacksMistakes({ talk, calculates }: Subject): string | undefined {
  return calculates || mistakesIn(talk).length > 0 ? undefined : "the file shows no mistake (!)";
}

function lacksChangingReply({ talk }: Subject): string | undefined {
  return sampleOf(talk).lines.some(({ says, tokens }) => says === "server" && tells(tokens))
    ? undefined
    : "its answer is always the same";
}

function firstValue(line: Line | undefined): Token | undefined {
  return line?.tokens.find((token) => token.kind === "value" && token.binary === undefined);
}

/** The first request with a word in place of its first value. */
function withWord({ talk, settings: { random } }: ServerUnderTest, word: string): Uint8Array {
  const line = firstRequest(talk);
  const value = firstValue(line);
  const tokens = (line?.tokens ?? []).map((token): Token =>
    token === value ? { kind: "bytes", bytes: encoder.encode(word), column: 1 } : token
  );
  return render(tokens, new Map(), { talk, random });
}

/** What a line shows at its end: a line end, or nothing. */
function lineEndOf(tokens: readonly Token[] = []): Uint8Array {
  const last = tokens.at(-1);
  if (last?.kind === "newline") return encoder.encode("\n");
  const isCrlf = last?.kind === "bytes" && last.bytes.at(-1) === 10;
  return encoder.encode(isCrlf ? "\r\n" : "");
}

/** A number of the sample's first request that the reply calculates with. */
function calculatedName(talk: Talk): string | undefined {
  const request = firstRequest(talk);
  const reply = sampleOf(talk).lines.find(({ says, number }) =>
    says === "server" && number > (request?.number ?? Infinity)
  );
  const calculated = (reply?.tokens ?? []).filter((token) =>
    token.kind === "value" && token.expression.kind === "operation" && token.binary === undefined
  );
  return namesIn(request?.tokens ?? []).find((name) =>
    talk.numbers.has(name) && namesIn(calculated).includes(name)
  );
}

async function runsNoCode(server: ServerUnderTest): Promise<void> {
  const name = calculatedName(server.talk);
  if (name === undefined) return;
  for (const codeOf of CODES) {
    const results: Evidence[] = [];
    for (const word of WORDS) {
      const value = numberValue(integer(BigInt(word.length)), codeOf(word));
      const result = await resultOfCode(server, new Map([[name, value]]));
      server.markSuspect();
      if (result === undefined) break;
      results.push(result);
    }
    const [first] = results;
    if (first !== undefined && results.length === WORDS.length) throw new Finding(first);
  }
}

/** Sends code in place of a number; `undefined` if the answer does not hold its result. */
async function resultOfCode(
  server: ServerUnderTest,
  values: ReadonlyMap<string, Value>,
): Promise<Evidence | undefined> {
  const { talk, settings: { random } } = server;
  const conversation = onlyResults(talk);
  // What it answers instead of the result, if anything, is no matter: don't wait for more.
  using client = new Client(server, { conversation, values, timeout: server.timeout / 4 });
  // It may take offence, and end: other checks find that.
  if (!await client.hold().then(() => true, () => false)) return undefined;
  const request = firstRequest(talk)?.tokens ?? [];
  return {
    sent: shown(render(request, client.values, { talk, random })),
    saw: `it answered ${shown(client.reply?.bytes ?? "")}: it ran the request as code`,
  };
}

/** The sample with replies of which only the result matters: they may repeat the request. */
function onlyResults(talk: Talk): Conversation {
  const sample = sampleOf(talk);
  const anything: Token = { kind: "anything", column: 1 };
  const lines = sample.lines.map((line) => {
    const result = line.tokens.find((token) =>
      token.kind === "value" && token.expression.kind === "operation"
    );
    if (line.says !== "server" || result === undefined) return line;
    return { ...line, tokens: [anything, result, anything] };
  });
  return { ...sample, lines };
}

async function answersAfresh(server: ServerUnderTest): Promise<void> {
  const { talk } = server;
  const mistakes = mistakesIn(talk).map((line) => wrongdoingOf(server, line));
  const none = { bytes: withWord(server, "nonsense"), place: undefined };
  for (const { bytes, place } of mistakes.length > 0 ? mistakes : [none]) {
    // First on the connection of a good exchange, then on one of its own.
    using client = new Client(server, place && { conversation: place.conversation });
    await client.hold(place?.before);
    const open = client.peers.find((peer) => !("ending" in peer) || peer.ending === undefined);
    if (open !== undefined && client.told !== undefined) {
      await sendTo(open, bytes, server.timeout);
      refuseSame(bytes, client.told, (await reactionOf(open)).bytes);
    }
    client[Symbol.dispose]();
    if (!server.servesSeveral) continue;
    using good = new Client(server);
    await good.hold();
    good[Symbol.dispose]();
    const { bytes: answer, before = good.told } = await provoke(server, { bytes, place });
    if (before !== undefined) refuseSame(bytes, before, answer);
  }
}

/** @throws {Finding} if the answer to something wrong is the one before. */
function refuseSame(bytes: Uint8Array, before: Uint8Array, answer: Uint8Array): void {
  const text = trimmed(before);
  if (text === "" || trimmed(answer) !== text) return;
  throw new Finding({
    sent: `${shown(bytes)} (after a good request)`,
    saw: `it answered ${shown(text)}: the answer to the request before`,
  });
}

function trimmed(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim();
}
