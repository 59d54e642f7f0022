/** Compares answers with the expected ones, and names the mistakes that learners make. */
import { visible } from "../../text/visible.ts";
import type { Evidence } from "../../suite/test.ts";
import { mistakeIn, type Wanted } from "./mistakes.ts";

/** What an answer should be. */
export interface Expected extends Wanted {
  /**
   * For a `text` that ends in a number: what comes before it, and its value.
   * Any way of writing the number is right.
   */
  readonly number?: { readonly after: string; readonly value: number };
}

/** `more`: right so far, but incomplete. */
export type Verdict = "right" | "more" | "wrong";

const LF = 0x0a;
const CR = 0x0d;

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
    return isNear(number, value) ? "right" : /[\r\n]$/.test(got) ? "wrong" : "more";
  }
  return number === "" || number === "-" ? "more" : "wrong";
}

/** Whether a number is right to 1e-5, or rounded or cut after the decimals that it has. */
function isNear(number: string, value: number): boolean {
  const [, decimals = "", exponent] = /^[-+]?\d*\.?(\d*)([eE].*)?$/.exec(number) ?? [];
  const difference = Math.abs(Number(number) - value);
  if (difference <= Math.abs(value) * 1e-5) return true;
  return decimals !== "" && exponent === undefined && difference < 10 ** -decimals.length;
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
  const mistake = mistakeIn(decoder.decode(answer), expected, sent);
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

/** Whether the text is a calculator's answer to an addition, right or wrong. */
export function isSum(text: string): boolean {
  return /^\s*Sum of \S+ and \S+ is /.test(text);
}
