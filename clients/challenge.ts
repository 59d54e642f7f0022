import { QUIET_MS } from "../protocol/line_buffer.ts";
import { decodeUtf8 } from "../protocol/utf8.ts";

/** What has arrived so far: the right answer, the possible beginning of one, or neither. */
export interface Match {
  readonly is: "right" | "part" | "wrong";
  /**
   * Milliseconds of silence after which this is so; more may follow until then.
   * @default {it is so at once, whatever follows}
   */
  readonly afterMs?: number;
}

/** Why nothing more can be received: the stream or the datagram ended, or the time is up. */
export type ReceiveEnd = "end" | "time is up";

/**
 * A question that shows whether a server is alive, and how to judge its answer.
 *
 * A fresh one contains something unpredictable, so neither a canned reply nor an
 * old one passes for an answer.
 */
export interface Challenge {
  /** What to send; `undefined` if the server speaks first or just closes. */
  readonly request: Uint8Array | undefined;
  /** Whether the right answer can't be known before the question is asked. */
  readonly fresh: boolean;
  /** Whether the request itself, sent back, would pass for the answer. */
  readonly echo: boolean;
  /** The form of the answer: one line, or the end of the stream without any data. */
  readonly form: "line" | "end";
  /** The right reply, as far as it is known in advance. */
  readonly expected: string;
  /** Compares all that has been received with the right answer. */
  match(received: Uint8Array, over?: ReceiveEnd): Match;
}

/** Bytes of a line that are compared: no right answer is longer. */
const MAX_COMPARED = 4_096;

const LF = 0x0a;
const CR = 0x0d;
const encoder = new TextEncoder();

/** The right reply to a challenge, one line. */
export interface ReplyLine {
  /** The reply, or what it looks like. */
  readonly expected: string;
  /** Compares a line without its end. @default {it must be the expected one} */
  compare?(line: string): Match["is"];
  /** Whether each reply ends with a line end, so that one without it was cut. @default {false} */
  readonly needsEnd?: boolean;
}

/** Returns a challenge whose answer is a line. */
export function challengeOf(
  request: string,
  reply: ReplyLine,
  { fresh }: { readonly fresh: boolean },
): Challenge {
  const { expected, needsEnd = false } = reply;
  const compare = reply.compare ??
    ((line) => line === expected ? "right" : expected.startsWith(line) ? "part" : "wrong");
  return {
    request: encoder.encode(`${request}\n`),
    expected,
    fresh,
    echo: compare(request) === "right",
    form: "line",
    match(received, over) {
      const { line, isWhole } = firstLine(received);
      const is = line === null ? "wrong" : compare(line);
      if (isWhole) return { is: is === "right" ? "right" : "wrong" };
      if (line === "" || (is === "right" && needsEnd)) return { is: "part" };
      return is === "part" || over !== undefined ? { is } : { is, afterMs: QUIET_MS };
    },
  };
}

/** The first line that is not empty, without its end; `null` if it is not UTF-8. */
function firstLine(received: Uint8Array): { line: string | null; isWhole: boolean } {
  let start = 0;
  while (received[start] === LF || received[start] === CR) start++;
  const end = received.indexOf(LF, start);
  const bytes = received.subarray(start, end === -1 ? start + MAX_COMPARED : end);
  return { line: decodeUtf8(bytes)?.replace(/\r$/, "") ?? null, isWhole: end !== -1 };
}

/** The least number with 20 digits: about half of all 64-bit numbers are that large. */
const MIN_INTEGER = 10n ** 19n;

/** Returns a random unsigned 64-bit integer of 20 digits, so all questions are equally long. */
export function randomInteger(): string {
  while (true) {
    const [number = 0n] = crypto.getRandomValues(new BigUint64Array(1));
    if (number >= MIN_INTEGER) return String(number);
  }
}

/** Returns a number from 0 up to 1 that can't be predicted. */
export function randomFraction(): number {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return number / 2 ** 32;
}

/** Returns a random word of 16 letters and digits. */
export function randomWord(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => (byte % 32).toString(32)).join("");
}

/** Returns a request that repeats `filler` to be `size` bytes long; it is never cut. */
export function padded(before: string, filler: string, after: string, size: number): string {
  return before + filler.repeat(Math.max(1, size - before.length - after.length)) + after;
}
