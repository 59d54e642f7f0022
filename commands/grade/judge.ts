/** Compares answers with the expected ones, and names the mistakes that learners make. */
import { visible } from "../../text/visible.ts";
import type { Evidence } from "./check.ts";

/** What an answer should be. */
export interface Expected {
  /** The right answer, without a line end. */
  readonly text: string;
  /**
   * For a `text` that ends in a number: what comes before it, and its value.
   * Any way of writing the number is right.
   */
  readonly number?: { readonly after: string; readonly value: number };
  /** Whether a line end must (`true`) or must not (`false`) follow; `undefined` allows both. */
  readonly lineEnd?: boolean;
}

/** `more`: right so far, but incomplete. */
export type Verdict = "right" | "more" | "wrong";

const LF = 0x0a;
const CR = 0x0d;
/** The byte order mark: to `trim()` it is white space, but nobody types it. */
const BOM = "\ufeff";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Judges the bytes of an answer received so far. */
export function judge(bytes: Uint8Array, expected: Expected): Verdict {
  const start = expected.lineEnd === undefined ? skipLineEnds(bytes) : 0;
  const answer = bytes.subarray(start);
  if (expected.number !== undefined) return judgeNumber(answer, expected, expected.number);
  const wanted = encoder.encode(expected.text);
  const common = commonLength(answer, wanted);
  if (common < wanted.length) return common === answer.length ? "more" : "wrong";
  return judgeLineEnd(answer.subarray(wanted.length), expected.lineEnd);
}

/** Judges what follows an answer: nothing, or its line end. */
function judgeLineEnd(rest: Uint8Array, lineEnd: boolean | undefined): Verdict {
  switch (lineEnd) {
    case undefined:
      return rest.every((byte) => byte === LF || byte === CR) ? "right" : "wrong";
    case false:
      return rest.length === 0 ? "right" : "wrong";
    case true:
      if (rest.length === 0 || (rest.length === 1 && rest[0] === CR)) return "more";
      return /^\r?\n$/.test(decoder.decode(rest)) ? "right" : "wrong";
  }
}

function judgeNumber(
  answer: Uint8Array,
  { text }: Expected,
  { after, value }: NonNullable<Expected["number"]>,
): Verdict {
  const got = decoder.decode(answer);
  if (got.trimEnd() === text) return "right";
  if (got.length < after.length) return after.startsWith(got) ? "more" : "wrong";
  if (!got.startsWith(after)) return "wrong";
  const number = got.slice(after.length).trimEnd();
  if (/^[-+]?\d*\.?\d*(?:[eE][-+]?\d*)?$/.test(number) && /\d/.test(number)) {
    const close = Math.abs(Number(number) - value) <= Math.abs(value) * 1e-5;
    return close ? "right" : /[\r\n]$/.test(got) ? "wrong" : "more";
  }
  return number === "" || number === "-" ? "more" : "wrong";
}

function skipLineEnds(bytes: Uint8Array): number {
  let start = 0;
  while (bytes[start] === LF || bytes[start] === CR) start++;
  return start;
}

/** Returns where the first wrong byte is. If `lineEnd` is unset, line ends at the end are right. */
function firstWrong(answer: Uint8Array, wanted: Uint8Array, lineEnd: boolean | undefined): number {
  let position = commonLength(answer, wanted);
  if (position < wanted.length || lineEnd !== undefined) return position;
  while (answer[position] === LF || answer[position] === CR) position++;
  return position;
}

function commonLength(one: Uint8Array, other: Uint8Array): number {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length++;
  return length;
}

/** Most characters of a quoted text. */
const SHOWN = 60;

/** Bytes as text on one line: control characters are shown as `\x00`, long text is shortened. */
export function shown(data: string | Uint8Array): string {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  const whole = escaped(bytes);
  if (whole.length <= SHOWN) return whole;
  return `${whole.slice(0, SHOWN / 2)}...${whole.slice(-SHOWN / 4)} (${bytes.length} bytes)`;
}

/** `ff fe (in hex)`. */
export function inHex(bytes: Uint8Array): string {
  return `${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")} (in hex)`;
}

/** Escapes the characters that a terminal would act on, as Python and C write them. */
function escaped(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  if (!text.includes("\ufffd")) return visible(text);
  // Bytes that are not UTF-8 are shown one by one.
  return [...bytes].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hexEscape(byte)
  ).join("");
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** Describes a wrong answer, with a caret under its first wrong byte, and names the mistake. */
export function wrongAnswer(bytes: Uint8Array, expected: Expected, sent: string): Evidence {
  const wanted = encoder.encode(expected.text + (expected.lineEnd === true ? "\n" : ""));
  const start = expected.lineEnd === undefined ? skipLineEnds(bytes) : 0;
  const answer = bytes.subarray(start);
  const common = firstWrong(answer, wanted, expected.lineEnd);
  const mistake = named(answer, expected, sent);
  const what = mistake?.name ?? `byte ${common + 1} differs`;
  return {
    sent: shown(sent),
    want: shown(wanted),
    saw: `${shown(answer)}\n${caret(answer, common)} ${what}`,
    fix: mistake?.fix,
    // A wrong sum says nothing about the situation that it was asked for in.
    blames: isSum(expected.text) && isSum(decoder.decode(answer)) ? "operations" : "answers",
  };
}

function caret(bytes: Uint8Array, position: number): string {
  const before = escaped(bytes.subarray(0, position)).length;
  const whole = escaped(bytes).length;
  // The middle of a long answer is cut out: the caret can point no further than the cut.
  return " ".repeat(whole > SHOWN ? Math.min(before, SHOWN / 2) : before) + "^";
}

interface Mistake {
  readonly name: string;
  readonly fix: string;
}

function named(answer: Uint8Array, expected: Expected, sent: string): Mistake | undefined {
  const text = decoder.decode(answer);
  const trimmed = text.trim();
  const isWide = answer.length >= expected.text.length * 2 - 1 &&
    text.replaceAll("\0", "").includes(expected.text);
  if (isWide && text.replace(/\0+$/, "").includes("\0")) {
    return { name: "two bytes for each character (UTF-16)", fix: "encode the text as UTF-8" };
  }
  if (text.includes("\0")) {
    return {
      name: "a NUL byte: the zero that ends a string in C was sent as well",
      fix: "send strlen(text) bytes, not the size of the array",
    };
  }
  if (/^b(['"]).*\1$/s.test(trimmed)) {
    return {
      name: "b'...': Python's way of showing bytes was sent, not the bytes",
      fix: "turn bytes into text with data.decode(), not with str(data)",
    };
  }
  if (/^(["']).*\1$/s.test(trimmed)) {
    return { name: "quotes around the answer", fix: "send the text itself, without quotes" };
  }
  if (sent !== "" && trimmed === sent.trim()) {
    return { name: "the request itself came back", fix: "send the answer, not the request" };
  }
  if (/\\r|\\n/.test(text) && text.replace(/(?:\\r)?\\n$/, "").trim() === expected.text) {
    return {
      name: "a backslash and an n instead of a line end",
      fix: 'write the line end as "\\n" in double quotes, not escaped twice',
    };
  }
  return whiteSpaceMistake(text, expected) ?? caseMistake(text, expected);
}

/** Names what is wrong around the right answer. */
function whiteSpaceMistake(text: string, { text: wanted, lineEnd }: Expected): Mistake | undefined {
  if (wanted === "" || text.trim() !== wanted || text.startsWith(BOM)) return undefined;
  if (!text.startsWith(wanted)) {
    return { name: "white space before the answer", fix: `send exactly ${wanted}` };
  }
  const rest = text.slice(wanted.length);
  if (/[^\r\n]/.test(rest)) {
    return {
      name: "white space after the answer",
      fix: "send no space, tab or other white space after the last word",
    };
  }
  return lineEnd === undefined ? undefined : lineEndMistake(rest, lineEnd);
}

function lineEndMistake(rest: string, lineEnd: boolean): Mistake {
  if (!lineEnd) {
    return {
      name: "a line end, though the request had none",
      fix: "answer in kind: a request without a line end gets its answer without one",
    };
  }
  return rest.includes("\n")
    ? { name: "more than one line end", fix: "end the answer to a line with one line end" }
    : { name: "the line end is missing", fix: "end the answer to a line with a line end" };
}

/** Names a difference in case if there is no other difference. */
function caseMistake(text: string, { text: wanted }: Expected): Mistake | undefined {
  const answer = text.replace(/[\r\n]+$/, "");
  if (answer === wanted || answer.toLowerCase() !== wanted.toLowerCase()) return undefined;
  return { name: "upper and lower case differ", fix: `send exactly ${wanted}` };
}

/** The largest integers of common types: their successors do not fit. */
export const widths = [
  {
    last: 2n ** 31n - 1n,
    name: "a 32-bit integer",
    fix: "use a 64-bit type or integers of any size",
  },
  {
    last: 2n ** 53n,
    name: "a double (53 bits)",
    fix: "use an integer type: in JavaScript BigInt, elsewhere a 64-bit type",
  },
  {
    last: 2n ** 63n - 1n,
    name: "a 64-bit integer",
    fix: 'use integers of any size, or check for overflow and answer "Error: ..."',
  },
  {
    last: 2n ** 64n - 1n,
    name: "an unsigned 64-bit integer",
    fix: 'use integers of any size, or check for overflow and answer "Error: ..."',
  },
] as const;

/** Whether the text is a calculator's answer to an addition, right or wrong. */
export function isSum(text: string): boolean {
  return /^\s*Sum of \S+ and \S+ is /.test(text);
}

/** Lines of a stack trace: they say where an error happened, not what it is. */
const STACK = /^\s|^Node\.js v|^goroutine |^exit status|^Emitted |^[\w/.:-]+:\d+$/;
/** How languages begin the line that says what went wrong. */
const HEADLINE = /^(?:[\w.:]*(?:Error|Exception|Interrupt)\b|panic:|fatal|Exception in )/;

/** Returns the line of stderr that helps a beginner most: what went wrong, not where. */
export function lastWords(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const words = lines.filter((line) => !STACK.test(line));
  const chosen = words.findLast((line) => HEADLINE.test(line)) ??
    words.findLast((line) => /error|exception|fault|refused|in use|denied|abort/i.test(line)) ??
    words.at(-1) ?? lines.at(-1);
  return chosen?.slice(0, 300);
}
