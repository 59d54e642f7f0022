import { opensValue, readEscape } from "./escape.ts";
import { MAX_CALCULATION, parseExpression } from "./expression.ts";
import { TalkError } from "./problem.ts";
import { compare, integer, parseRational } from "./rational.ts";
import { CR } from "./take.ts";
import { type BinaryFormat, binaryFormats, type Range, type Token } from "./talk.ts";

const encoder = new TextEncoder();

/** A name in braces with spaces around it, or three dots that an editor has made one character. */
const SPACED_NAME = /\{(?:\s+([A-Za-z]\w*)\s*|…)\}/y;
const FORMAT = /^(.*?)(?<!\s)\s+as\s+(\S+)\s*$/;
const RANGE = /^(\s*[A-Za-z(].*?)(?<!\s)\s+(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)\s*$/;

/**
 * Reads the text of a line.
 *
 * @param line The line of the file, for errors.
 * @param column The column of its first character.
 * @throws {TalkError}
 */
export function parseText(text: string, line: number, column: number): Token[] {
  const tokens: Token[] = [];
  /** Bytes not yet in a token. */
  let bytes: number[] = [];
  let start = 0;
  let at = 0;
  const fail = (problem: TalkError["problem"]): never => {
    throw new TalkError(line, column + at, problem);
  };
  const begin = (): void => {
    if (bytes.length === 0) start = at;
  };
  const add = (token?: Token): void => {
    if (bytes.length > 0) {
      tokens.push({ kind: "bytes", bytes: new Uint8Array(bytes), column: column + start });
      bytes = [];
    }
    if (token !== undefined) tokens.push(token);
  };
  while (at < text.length) {
    if (opensValue(text, at)) {
      const close = text.indexOf("}", at);
      if (close < 0) fail({ kind: "not closed" });
      add(parseValue(text.slice(at + 1, close), line, column + at));
      at = close + 1;
    } else if (text[at] === "\\") {
      // An exact CRLF stays together: only a bare `\n` may be either.
      const isNewline = text[at + 1] === "n" && bytes.at(-1) !== CR;
      if (isNewline) add({ kind: "newline", column: column + at });
      const escape = isNewline ? undefined : readEscape(text, at) ??
        fail({ kind: "unknown escape", escape: text.slice(at, at + 2) });
      if (escape !== undefined) {
        begin();
        bytes.push(...escape.bytes);
      }
      at += escape?.length ?? 2;
    } else {
      const [source, name = "..."] = spacedName(text, at) ?? [];
      if (source !== undefined) fail({ kind: "spaced name", name, source });
      const end = endOfPlain(text, at + 1);
      begin();
      pushUtf8(bytes, text.slice(at, end));
      at = end;
    }
  }
  add();
  return tokens;
}

/** Most characters are ASCII, and an encoder takes long for a few of them. */
function pushUtf8(bytes: number[], text: string): void {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) bytes.push(code);
    else {
      for (const byte of encoder.encode(text.slice(index))) bytes.push(byte);
      return;
    }
  }
}

/** `{ name }` or `{…}` at a place, which may be meant as a value or not. */
function spacedName(text: string, at: number): RegExpExecArray | null {
  SPACED_NAME.lastIndex = at;
  return SPACED_NAME.exec(text);
}

/** Where the characters from a place on end that stand for themselves. */
function endOfPlain(text: string, at: number): number {
  while (at < text.length && text[at] !== "\\") {
    if (text[at] === "{" && (opensValue(text, at) || spacedName(text, at) !== null)) break;
    at++;
  }
  return at;
}

/** @param column The column of the opening brace. */
function parseValue(inner: string, line: number, column: number): Token {
  const fail = (at: number, problem: TalkError["problem"]): never => {
    throw new TalkError(line, column + 1 + at, problem);
  };
  if (inner.length > MAX_CALCULATION) {
    fail(0, { kind: "calculation too long", most: MAX_CALCULATION });
  }
  const word = inner.trim();
  if (word === "...") return { kind: "anything", column };
  if (word === "end") return { kind: "end", column };

  const [, before = inner, format] = FORMAT.exec(inner) ?? [];
  const binary = format === undefined ? undefined : binaryFormats[format];
  if (format !== undefined && binary === undefined) {
    fail(inner.lastIndexOf(format), { kind: "unknown format", format });
  }
  if (before.trim() === "length") {
    return binary === undefined
      ? fail(0, { kind: "bare length" })
      : { kind: "length", binary, column };
  }

  const [, ranged, low = "", high = ""] = RANGE.exec(before) ?? [];
  const range = ranged === undefined ? undefined : rangeOf(low, high);
  const expression = parseExpression(ranged ?? before, line, column + 1);
  if (ranged !== undefined) {
    const at = before.indexOf(low, ranged.length);
    if (expression.kind !== "name") fail(at, { kind: "range of calculation" });
    if (range === undefined) fail(at, { kind: "empty range", low, high });
    else if (!fits(range, binary)) fail(at, { kind: "range too wide", format: format ?? "" });
  }
  return { kind: "value", expression, range, binary, source: `{${inner}}`, column };
}

/** `undefined` if there is no number from `low` to `high`. */
function rangeOf(low: string, high: string): Range | undefined {
  const from = parseRational(low);
  const to = parseRational(high);
  if (from === undefined || to === undefined || compare(from, to) > 0) return undefined;
  const decimals = [low, high].map((text) => text.split(".")[1]?.length ?? 0);
  return { low: from, high: to, decimals: Math.max(...decimals) };
}

function fits({ low, high, decimals }: Range, binary: BinaryFormat | undefined): boolean {
  if (binary === undefined) return true;
  const most = integer(2n ** BigInt(binary.size * 8) - 1n);
  return decimals === 0 && compare(low, integer(0n)) >= 0 && compare(high, most) <= 0;
}
