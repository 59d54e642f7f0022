/** Parts and variations of conversations that the checks ask for. */
import {
  type Conversation,
  type Expression,
  isBinary,
  isFramed,
  type Line,
  namesIn,
  type Talk,
  type Token,
} from "../../talk/talk.ts";
import { Skipped } from "../../suite/test.ts";
import { Matcher } from "../../talk/matcher.ts";
import { CR, LF } from "../../talk/take.ts";
import type { Values } from "../../talk/value.ts";

/** The lines that a client sends. */
export function requestsOf({ lines }: Conversation): readonly Line[] {
  return lines.filter(({ says }) => says === "client");
}

/** Whether one client holds it, and not several. */
export function hasOneClient({ lines }: Conversation): boolean {
  return lines.every(({ client }) => client === "");
}

/** The conversations in which a server says something. */
export function playable({ conversations }: Talk): readonly Conversation[] {
  return conversations.filter(({ lines }) => lines.some(({ says }) => says === "server"));
}

/** The conversation that general checks repeat: the first with one client, if there is one. */
export function sampleOf(talk: Talk): Conversation {
  const all = playable(talk);
  const sample = all.find(hasOneClient) ?? all[0];
  if (sample === undefined) throw new TypeError("Cannot play a file in which no server speaks");
  return sample;
}

/** The file without its other conversations. */
export function onlySample(talk: Talk): Talk {
  return { ...talk, conversations: [sampleOf(talk)] };
}

/** What a client says first in the sample. */
export function firstRequest(talk: Talk): Line | undefined {
  return requestsOf(sampleOf(talk))[0];
}

/** The first conversation of one client in which each request shows its end. */
export function framedIn(talk: Talk): Conversation | undefined {
  return playable(talk).find((conversation) => {
    const requests = requestsOf(conversation);
    return hasOneClient(conversation) && requests.length > 0 &&
      requests.every(({ tokens }) => isFramed(tokens));
  });
}

const TAB = 9;

/** Whether all that clients send is text, and not numbers in binary or control characters. */
export function isText({ conversations }: Talk): boolean {
  return conversations.every(({ lines }) =>
    lines.every(({ says, tokens }) =>
      says === "server" ||
      !isBinary(tokens) &&
        tokens.every((token) =>
          token.kind !== "bytes" ||
          token.bytes.every((byte) => byte >= CR || byte === TAB || byte === LF)
        )
    )
  );
}

/** The requests of a conversation if all can be sent before any reply has come. */
export function blindRequests(conversation: Conversation): readonly Line[] | undefined {
  const heard = new Set<string>();
  const said = new Set<string>();
  for (const { says, tokens } of conversation.lines) {
    const names = namesIn(tokens);
    if (says === "client" && names.some((name) => heard.has(name))) return undefined;
    for (const name of names) {
      if (says === "client") said.add(name);
      else if (!said.has(name)) heard.add(name);
    }
  }
  return requestsOf(conversation);
}

/** A conversation with its file. */
export interface Chosen {
  readonly talk: Talk;
  readonly conversation: Conversation;
}

/**
 * A conversation held so many times on one connection, with values of its own each time;
 * `undefined` if it can't be: the server begins or someone ends.
 */
export function repeated({ talk, conversation }: Chosen, times: number): Chosen | undefined {
  const said = conversation.lines.filter(({ says }) => says === "client" || says === "server");
  const ends = said.some(({ tokens }) => tokens.some(({ kind }) => kind === "end"));
  if (said[0]?.says !== "client" || ends) return undefined;
  const numbers = new Map(talk.numbers);
  const last = said.at(-1)?.number ?? 0;
  const copies = Array.from({ length: times }, (_, index) => {
    const renamed = (name: string): string => index === 0 ? name : `${name}_${index}`;
    for (const [name, range] of talk.numbers) numbers.set(renamed(name), range);
    return said.map((line) => ({
      ...line,
      number: line.number + index * last,
      tokens: line.tokens.map((token) => withNames(token, renamed)),
    }));
  });
  return {
    talk: { ...talk, numbers },
    conversation: { ...conversation, lines: copies.flat() },
  };
}

/** The same with its file, for checks of nothing else. @throws {Skipped} if there is none. */
export function framedOf(lines: Talk): Chosen {
  const conversation = framedIn(lines);
  if (conversation === undefined) throw new Skipped("nothing in the file ends a request");
  return { talk: lines, conversation };
}

/** The same, held so many times on one connection if it can be. */
export function repeatedIn(lines: Talk, times: number): Chosen {
  const framed = framedOf(lines);
  return repeated(framed, times) ?? framed;
}

/** A conversation of several requests that show their ends: the first three times, or one that has them. */
export function severalOf(lines: Talk): Chosen {
  const many = lines.conversations.find((conversation) =>
    requestsOf(conversation).length > 1 && blindRequests(conversation) !== undefined &&
    framedIn({ ...lines, conversations: [conversation] }) !== undefined
  );
  const again = repeated(framedOf(lines), 3);
  if (again !== undefined && blindRequests(again.conversation) !== undefined) return again;
  return many === undefined ? framedOf(lines) : { talk: lines, conversation: many };
}

/** The first value of the first request, which can be made long. */
export function longName(lines: Talk): string | undefined {
  const [request] = requestsOf(framedOf(lines).conversation);
  const isPlain = request?.tokens.every((token) => token.kind !== "value" || !token.binary);
  return isPlain ? namesIn(request?.tokens ?? [])[0] : undefined;
}

function withNames(token: Token, renamed: (name: string) => string): Token {
  if (token.kind !== "value") return token;
  const change = (expression: Expression): Expression => {
    switch (expression.kind) {
      case "number":
        return expression;
      case "name":
        return { ...expression, name: renamed(expression.name) };
      case "call":
        return { ...expression, argument: change(expression.argument) };
      case "operation":
        return { ...expression, left: change(expression.left), right: change(expression.right) };
    }
  };
  return { ...token, expression: change(token.expression) };
}

/** Changes the tokens of each line. */
function mapTokens(talk: Talk, change: (line: Line, isLast: boolean) => readonly Token[]): Talk {
  const conversations = talk.conversations.map((conversation) => {
    const last = requestsOf(conversation).at(-1);
    const lines = conversation.lines.map((line) => ({
      ...line,
      tokens: change(line, line === last),
    }));
    return { ...conversation, lines };
  });
  return { ...talk, conversations };
}

const closed = (tokens: readonly Token[]): readonly Token[] =>
  tokens.map((token) =>
    token.kind === "optional newline" ? { kind: "newline", column: token.column } : token
  );

/** The same with a line end wherever the file leaves a line's end open. */
export function withLineEnds(talk: Talk): Talk {
  return mapTokens(talk, ({ tokens }) => closed(tokens));
}

/** The same for a server that waits for more than the file shows after each request. */
export function withRequestEnds(talk: Talk, end: "line" | "end of stream"): Talk {
  return mapTokens(talk, ({ says, tokens }, isLast) => {
    if (says !== "client" && says !== "mistake") return tokens;
    if (end === "line") return closed(tokens);
    const isEnd = isLast || says === "mistake";
    return isEnd ? [...tokens, { kind: "end", column: 1 }] : tokens;
  });
}

/**
 * The values in what came for a line, if all of it is there but for what programs forget: its line
 * end, or the length in front. `undefined` if it is not.
 *
 * @param known What was said before.
 */
export function saidIn(
  line: Line,
  came: Uint8Array,
  { talk, known = new Map() }: { readonly talk: Talk; readonly known?: Values },
): Values | undefined {
  const loose = {
    ...line,
    tokens: withOpenEnd(line.tokens.filter(({ kind }) => kind !== "length")),
  };
  const [first] = line.tokens;
  const lengths = first?.kind === "length" ? [0, first.binary.size] : [0];
  for (const length of lengths) {
    const bytes = came.subarray(length);
    const matcher = new Matcher([loose], { bytes }, { talk, values: known });
    const fits = matcher.finish("silent") === "matched" && matcher.size === bytes.length;
    if (fits) return matcher.said;
  }
  return undefined;
}

/** Any line end, or none, in place of the one that a line shows. */
function withOpenEnd(tokens: readonly Token[]): readonly Token[] {
  const last = tokens.at(-1);
  const before = tokens.slice(0, -1);
  const open: Token = { kind: "optional newline", column: 1 };
  if (last?.kind === "newline" || last?.kind === "optional newline") return [...before, open];
  if (last?.kind !== "bytes" || last.bytes.at(-1) !== LF) return [...tokens, open];
  const bytes = last.bytes.slice(0, last.bytes.at(-2) === CR ? -2 : -1);
  return [...before, ...bytes.length === 0 ? [] : [{ ...last, bytes }], open];
}
