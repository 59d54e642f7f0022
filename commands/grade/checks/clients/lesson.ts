/** What every client does: it reaches its server, says what the conversation shows, and ends. */
import { type Evidence, Finding } from "../../../../suite/test.ts";
import { bytesOfValue, evaluate, type Values } from "../../../../talk/value.ts";
import { describe } from "../../../../talk/render.ts";
import { namesIn, type Token, type ValueToken } from "../../../../talk/talk.ts";
import {
  type ClientUnderTest,
  END_MS,
  printedBy,
  type Run,
} from "../../clients/client_under_test.ts";
import { CLIENT_MS, type Heard, type Scenario } from "../../clients/scripted_server.ts";
import { firstRequest, saidIn, sampleOf } from "../../conversations.ts";
import { crashFix } from "../../advice.ts";
import { wrongBytes } from "../../evidence.ts";
import { areSwapped, withoutLineEnds } from "../../mistakes.ts";
import { endingOf } from "../../program/child.ts";
import type { Subject } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { lacksRequest } from "../lacks.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// deno-lint-ignore no-control-regex -- they are what nobody types
const UNTYPABLE = /[\0-\x08\x0e-\x1f]/;

const SHOW_TYPED = "show in the file what its user types: a line such as type put {key} {value}";

/** A server that replies as the conversation shows, and leaves the connection open unless it ends. */
export const goodServer: Scenario = {
  id: "good",
  isOrdinary: true,
  replies: true,
  async answer({ replies, ends, send, untilRead, close }) {
    for (const [index, reply] of replies.entries()) {
      if (index > 0) await untilRead();
      await send(reply);
    }
    if (ends) close();
  },
};

/** A server whose reply can't be known without reading it. */
export const erringServer = (error: string): Scenario => ({
  id: "error-reply",
  isOrdinary: true,
  answer: ({ send, isLine }) => send(encoder.encode(isLine ? `${error}\n` : error)),
});

export const connects: Check<ClientUnderTest> = {
  id: "connects",
  level: "lesson",
  sentence: "connects to the server",
  how: "A server listens on the given port on 127.0.0.1 and ::1; the program must connect to it.",
  why: "a client that does not reach its server can't ask it anything",
  fix: "connect() to localhost and the given port (in C with htons())",
  limit: 20_000,
  async run(client) {
    const run = await client.observe(goodServer);
    if (run.connected) return;
    const bound = /in use|EADDRINUSE/i.test(run.said ?? "");
    throw new Finding({
      saw: `no connection; your program ${endOf(run)}`,
      said: run.said,
      fix: bound ? "connect() to the port: this program binds it, as a server does" : undefined,
    });
  },
};

export const reaches: Check<ClientUnderTest> = {
  ...connects,
  sentence: "reaches the server",
  how: "A socket bound to the given port on 127.0.0.1 and ::1 waits for a datagram.",
  fix: "sendto() localhost and the given port on a datagram socket (SOCK_DGRAM)",
};

/** What a client does once it has connected. */
export const lessonClientChecks: readonly Check<ClientUnderTest>[] = [
  {
    id: "sends",
    level: "lesson",
    sentence: ({ calculates }) =>
      calculates ? "sends the command as typed" : "sends its message as text",
    how: "The bytes that reach the server are examined. The program gets on stdin what it is to " +
      "send.",
    why: "the server gets bytes: quotes, NULs or b'...' become part of the request",
    fix: "encode the text once: text.encode() in Python; in C send strlen(text) bytes",
    needs: ["connects"],
    limit: 20_000,
    lacks: lacksRequest,
    run: sendsWell,
  },
  {
    id: "prints",
    level: "lesson",
    sentence: "prints the reply",
    how:
      "The program's stdout must contain the reply. A calculator client is run once more, with a " +
      "reply that only the server can know: an error with a random number.",
    why: "the reply is what the user asked for",
    fix: "decode what recv() returned, and print it",
    needs: ["sends"],
    lacks: (subject) => lacksRequest(subject) ?? lacksShown(subject),
    run: printsReply,
  },
  {
    id: "ends",
    level: "lesson",
    sentence: "ends once it has its reply",
    how: "The server leaves the connection open; the program has 4 s to end by itself.",
    why: "the lesson's server leaves the connection open: a client that waits for its end hangs",
    fix: "read one reply, print it, close the socket; don't loop until recv() returns nothing",
    needs: ["connects", "sends"],
    limit: 20_000,
    async run(client) {
      const run = await client.observe(goodServer);
      if (run.status !== undefined && !run.waitedForClose) return;
      throw new Finding({
        saw: run.waitedForClose
          ? "it ended only after the server closed the connection"
          : `it was still running ${END_MS / 1_000} s after the reply`,
      });
    },
  },
];

async function sendsWell(client: ClientUnderTest): Promise<void> {
  const { subject: { talk } } = client.settings;
  const run = await client.observe(goodServer);
  const line = firstRequest(talk);
  const wanted = line === undefined ? "" : describe([line], client.typed);
  const typed = client.input?.split("\n")[0]?.trim();
  const sent = typed === undefined ? {} : { sent: `${typed} (typed)` };
  const [asked] = run.heard.filter(({ request }) => request.length > 0);
  const isFine = asked !== undefined && !areSwapped(asked.request, wanted) &&
    !namesIn(line?.tokens ?? []).some((name) =>
      hasMore(asked.values, client.typed, name) || isOdd(asked.values, name)
    );
  // A request that is wrong in itself may be why the next one was misunderstood.
  const came = isFine ? run.misunderstood : asked?.request ?? run.misunderstood;
  if (isFine && came === undefined) return;
  const evidence = came === undefined
    ? sentNothing(run)
    : sentWrongly(came, came === run.misunderstood ? wantedFor(came, client) : wanted);
  const isTyped = sampleOf(talk).lines.some(({ says }) => says === "typed");
  const advice = !isTyped && UNTYPABLE.test(typed ?? "") ? { fix: SHOW_TYPED } : {};
  throw new Finding({ said: run.said, ...evidence, ...sent, ...advice });
}

/**
 * What should have come, as the file shows it: the request that has these words, if it is whole but
 * for what programs forget around it; the next ones as well, if they are glued to the first.
 */
function wantedFor(came: Uint8Array, { settings: { subject: { talk } }, typed }: ClientUnderTest) {
  const { lines } = sampleOf(talk);
  for (const line of lines.filter(({ says }) => says === "client")) {
    const own = saidIn(line, came, { talk });
    if (own !== undefined) return describe([line], new Map([...typed, ...own]));
  }
  const said = lines.filter(({ says }) => says === "client" || says === "server");
  const start = said.findIndex(({ says }) => says === "client");
  const reply = said.findIndex(({ says }, index) => index > start && says === "server");
  const requests = said.slice(start, reply === -1 ? undefined : reply);
  const all = describe(requests, typed);
  return decoder.decode(came) === withoutLineEnds(all)
    ? all
    : describe(requests.slice(0, 1), typed);
}

function sentWrongly(came: Uint8Array, wanted: string): Evidence {
  const right = commonLength(came, encoder.encode(wanted));
  const { fix, ...evidence } = wrongBytes({ came, right, wanted });
  const typed = "send what the user types on stdin, and no more: input() in Python";
  return { ...evidence, fix: fix ?? (right === 0 ? typed : undefined) };
}

function sentNothing(run: Run): Evidence {
  const waits = run.status === undefined || run.waitedForClose;
  return {
    saw: waits
      ? `it connected and sent nothing for ${CLIENT_MS / 1_000} s`
      : `it connected and sent nothing; your program ${endOf(run)}`,
    said: run.said,
    why: "a server answers what it is sent: it waits for the request",
    fix: run.said !== undefined && run.status?.success === false
      ? crashFix(run.said)
      : waits
      ? "send() the request before you call recv(): both sides wait for each other otherwise"
      : "send() the request after connect(); if you write through a buffer, flush it",
  };
}

/** Whether a value that was typed came with something around it, such as b'...'. */
function hasMore(values: Values | undefined, typed: Values, name: string): boolean {
  const [got, wanted] = [values?.get(name), typed.get(name)];
  if (got?.kind !== "word" || wanted?.kind !== "word") return false;
  const [text, whole] = [decoder.decode(wanted.bytes), decoder.decode(got.bytes)];
  return text !== whole && whole.includes(text);
}

/** Whether a word is Python's way of showing bytes, or no text. */
function isOdd(values: Values | undefined, name: string): boolean {
  const value = values?.get(name);
  if (value?.kind !== "word") return false;
  const text = decoder.decode(value.bytes);
  return /[\0\ufffd]/.test(text) || /^b(['"]).*\1$/s.test(text);
}

async function printsReply(client: ClientUnderTest): Promise<void> {
  const { subject } = client.settings;
  const run = await client.observe(goodServer);
  const parts = run.heard.flatMap((heard) => shownParts(heard, subject));
  const missing = parts.find((part) => !run.stdout.includes(part));
  if (missing !== undefined) {
    const fix = printsBeginning(run.stdout, missing)
      ? "receive and print all of it: recv(10) returns no more than 10 bytes, recv(1024) up to 1,024"
      : undefined;
    throw new Finding({ want: missing, saw: printedBy(run), said: run.said, fix });
  }
  const asBytes = parts.find((part) => isShownAsBytes(part, run.stdout));
  if (asBytes !== undefined) {
    throw new Finding({
      want: asBytes,
      saw: `${printedBy(run)}\nb'...' is Python's way of showing bytes`,
      fix: "turn the bytes into text before you print them: data.decode()",
    });
  }
  if (!subject.calculates) return;
  // A sum can be worked out without the server.
  const { error } = client;
  const erred = await client.observe(erringServer(error));
  if ((erred.stdout + erred.stderr).includes(error)) return;
  throw new Finding({
    sent: error,
    want: error,
    saw: printedBy(erred),
    said: erred.said,
    fix: "print what recv() returned, whatever it is: the answer comes from the server",
  });
}

/** What a user must see of a reply: all of it in the lesson, its values in a file. */
export function shownParts({ lines, values, reply }: Heard, { isFile }: Subject): string[] {
  const whole = decoder.decode(reply).trim();
  if (!isFile) return whole === "" ? [] : [whole];
  const shown = lines.flatMap(({ tokens }) => tokens.flatMap((token) => valueText(token, values)));
  return shown.filter((text) => text !== "");
}

/** Why a client may word all that it prints as it likes. */
export function lacksShown({ isFile, talk }: Subject): string | undefined {
  const replies = sampleOf(talk).lines.filter(({ says }) => says === "server");
  const isShown = replies.some(({ tokens }) => tokens.some(isForUser));
  return !isFile || isShown ? undefined : "no reply has a value that a user must see";
}

/** A number in binary that is not worked out may be of no interest to a user. */
function isForUser(token: Token): token is ValueToken {
  return token.kind === "value" &&
    (token.binary === undefined || token.expression.kind !== "name");
}

function valueText(token: Token, values: Values): string[] {
  if (!isForUser(token)) return [];
  const value = evaluate(token.expression, values);
  return value === undefined ? [] : [decoder.decode(bytesOfValue(value))];
}

/** Whether something that was printed ends in the beginning of a text, and not the whole. */
function printsBeginning(output: string, text: string): boolean {
  const lines = output.split("\n").map((line) => line.trimEnd());
  return Array.from({ length: text.length - 2 }, (_, index) => text.slice(0, index + 2).trimEnd())
    .some((beginning) => lines.some((line) => line.endsWith(beginning)));
}

/** Whether a text is printed as Python shows bytes, and only so. */
function isShownAsBytes(text: string, output: string): boolean {
  const before = output.split(text).slice(0, -1);
  return before.every((part) => /b(['"])(?:(?!\1).)*$/.test(part));
}

function commonLength(one: Uint8Array, other: Uint8Array): number {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length++;
  return length;
}

function endOf(run: Run): string {
  return run.status === undefined
    ? `was still running after ${CLIENT_MS / 1_000} s`
    : endingOf(run.status);
}
