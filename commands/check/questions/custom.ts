/** The user's own questions. Most checks have none: this is loaded only if one does. @module */
import { concat } from "@std/bytes/concat";
import { readTalk } from "../../../cli/arguments/talk_file.ts";
import { excerptOf } from "../../../cli/errors/excerpt.ts";
import { misuse } from "../../../cli/errors/failure.ts";
import { wordsOfTalk } from "../../../cli/errors/talk_words.ts";
import { randomFraction, randomWord, type ReceiveEnd } from "../../../clients/challenge.ts";
import { Matcher } from "../../../talk/matcher.ts";
import { parseTalk } from "../../../talk/parse.ts";
import { TalkError } from "../../../talk/problem.ts";
import { describe, render } from "../../../talk/render.ts";
import { type Line, namesIn, type Talk } from "../../../talk/talk.ts";
import type { Values } from "../../../talk/value.ts";
import type { Challenge, TalkQuestion } from "./challenge.ts";
import type { WantedText } from "./http.ts";

/** The name of a fresh random word, longer than those that a conversation draws. */
const NONCE = "nonce";

/** Milliseconds of silence that end a reply which nothing else ends. */
const QUIET_MS = 150;
/** Milliseconds within which bytes that do not belong to a reply usually follow it. */
const EXTRA_MS = 30;

const encoder = new TextEncoder();

/** The user's own question: the shortest conversation. */
export interface CustomQuestion {
  readonly form: "text";
  /** As typed; `undefined` if the server speaks first. */
  readonly send: string | undefined;
  /** As typed. */
  readonly reply: string;
  /** Makes a challenge of it, with new random values. */
  challenge(): Challenge;
}

/**
 * Returns the question that `--send` and `--reply` make.
 *
 * @throws {Failure} of kind `USAGE` for a question whose answer can't be judged.
 */
export function customQuestion(
  send: string | undefined,
  reply: string | undefined,
): CustomQuestion {
  if (reply === undefined) {
    throw misuse("--send needs --reply: what the reply must be", {
      hint: "for example --send 'ECHO {nonce}' --reply '$16\\n{nonce}'",
    });
  }
  if (reply.includes(`{${NONCE}}`) && !send?.includes(`{${NONCE}}`)) {
    throw misuse("--reply can't contain {nonce}, as --send does not", {
      hint: "the word is random: a reply can contain it only if the request does",
    });
  }
  const request = send === undefined ? [] : [`> ${asLine(send)}`];
  const talk = parseLines([...request, replyLine(reply)]);
  return { form: "text", send, reply, challenge: () => customChallenge(talk, send) };
}

/** What `--reply` says of a web server's body, which must contain it. @throws as the other does. */
export function wantedText(reply: string): WantedText {
  const talk = parseLines([replyLine(`{...}${reply}{...}`)]);
  const lines = linesOf(talk);
  return {
    text: reply,
    isIn: (body) => matcherOf(lines, new Map(), talk).match(body, "end").is === "right",
  };
}

/**
 * The question that the conversations of a file make.
 *
 * @param onlyFirst Whether to play the first conversation alone.
 * @throws {Failure} of kind `USAGE` as {@linkcode readTalk} does.
 */
export async function talkQuestion(path: string, onlyFirst: boolean): Promise<TalkQuestion> {
  const talk = await readTalk(path);
  const conversations = talk.conversations
    .filter(({ lines }) => lines.some(({ says }) => says === "server"))
    .slice(0, onlyFirst ? 1 : undefined);
  const fresh = conversations.some(({ lines }) => hasFreshReply(lines));
  const echo = conversations.every(({ lines }) => onlyEchoes(lines));
  return { form: "talk", name: path, talk, conversations, fresh, echo, expected: "" };
}

/** Whether the server must say something that its client has drawn. */
function hasFreshReply(lines: readonly Line[]): boolean {
  const drawn = new Set<string>();
  return lines.some(({ says, tokens }) => {
    const names = namesIn(tokens);
    if (says === "client") names.forEach((name) => drawn.add(name));
    return says === "server" && names.some((name) => drawn.has(name));
  });
}

function onlyEchoes(lines: readonly Line[]): boolean {
  const said = lines.filter(({ says }) => says === "client" || says === "server");
  const text = ({ source }: Line): string => source.replace(/^\w*[<>]/, "");
  return said.every((line, index) => {
    const before = said[index - 1];
    return line.says === "client" || (before?.says === "client" && text(before) === text(line));
  });
}

function replyLine(reply: string): string {
  return `< ${asLine(reply)}`;
}

function linesOf({ conversations }: Talk): readonly Line[] {
  return conversations.flatMap(({ lines }) => lines);
}

/** Text of a flag as a line of a conversation file has it. */
function asLine(text: string): string {
  return text
    .replaceAll("\r", "\\r")
    .replaceAll("\n", "\\n")
    // Where a conversation has \u{e9}, older versions of these flags had four digits.
    .replaceAll(/(?<!\\)((?:\\\\)*)\\u([0-9a-f]{4})/gi, "$1\\u{$2}")
    .replace(/ $/, "\\x20");
}

function parseLines(lines: readonly string[]): Talk {
  try {
    return parseTalk(lines.join("\n"));
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    const { line, column, problem } = error;
    const source = lines[line - 1] ?? "";
    const flag = source.startsWith(">") ? "--send" : "--reply";
    throw misuse(`${flag}: ${wordsOfTalk(problem)}`, {
      cause: error,
      excerpt: excerptOf(source.slice(2), column - 2),
    });
  }
}

/** Whether a text ends in an escape, and is therefore sent as it stands. */
function endsInEscape(text: string): boolean {
  return /(?<!\\)(?:\\\\)*\\(?:x[0-9a-f]{2}|u\{[0-9a-f]+\}|u[0-9a-f]{4}|.)$/is.test(text);
}

function customChallenge(talk: Talk, send = ""): Challenge {
  const lines = linesOf(talk);
  const requests = lines.filter(({ says }) => says === "client");
  const replies = lines.filter(({ says }) => says === "server");
  const values = new Map([[
    NONCE,
    { kind: "word", bytes: encoder.encode(randomWord()) } as const,
  ]]);
  const lineEnd = endsInEscape(send) ? "" : "\n";
  const request = concat(
    requests.map(({ tokens }) => render(tokens, values, { talk, random: randomFraction, lineEnd })),
  );
  const matchAll = (bytes: Uint8Array) => matcherOf(replies, values, talk).match(bytes, "end");
  const { match } = matcherOf(replies, values, talk);
  return {
    request: requests.length === 0 ? undefined : request,
    endsSending: requests.at(-1)?.tokens.at(-1)?.kind === "end",
    fresh: replies.some(({ tokens }) => namesIn(tokens).some((name) => values.has(name))),
    echo: requests.length > 0 && matchAll(request).is === "right",
    form: "text",
    expected: describe(replies, values),
    match,
  };
}

/** Compares what arrives with lines of a conversation: exactly these, and nothing after them. */
function matcherOf(
  lines: readonly Line[],
  values: Values,
  talk: Talk,
): Pick<Challenge, "match"> {
  const received = { bytes: new Uint8Array(0) as Uint8Array };
  const matcher = new Matcher(lines, received, { talk, values });
  const skips = lines.some(({ tokens }) => tokens.some(({ kind }) => kind === "anything"));
  return {
    match(bytes, over?: ReceiveEnd) {
      received.bytes = bytes;
      const progress = matcher.look();
      const isMore = progress === "matched" && matcher.size < bytes.length;
      if (over === undefined) {
        if (progress === "more") return { is: "part" };
        if (progress === "wrong" || isMore) return { is: "wrong", afterMs: EXTRA_MS };
        return { is: "right", afterMs: matcher.isOpen ? QUIET_MS : EXTRA_MS };
      }
      const ended = matcher.finish(over === "end" ? "closed" : "silent");
      if (ended === "matched") return { is: matcher.size < bytes.length ? "wrong" : "right" };
      // What does not hold what is wanted anywhere is not cut, but wrong.
      const isCut = bytes.length === 0 || (progress === "more" && !skips);
      return { is: isCut ? "part" : "wrong" };
    },
  };
}
