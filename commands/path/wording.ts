/** How the findings of several questions are put. */
import { formatDuration } from "../../protocol/duration.ts";
import type { EagerPeer, InputEnd } from "../../sockets/eager_peer.ts";
import { quoteBytes } from "../../text/width.ts";
import { firstDifference } from "./tag.ts";

/** Columns of quoted bytes. */
const QUOTE_WIDTH = 64;

/** `1,048,576`. */
export function grouped(number: number): string {
  return number.toLocaleString("en-US");
}

/** `0.8 ms`, `1200 ms`. */
export function inMs(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

/** Milliseconds since a `performance.now()` time. */
export function since(start: number): number {
  return performance.now() - start;
}

/** The first of some bytes, in quotes. */
export function quoted(bytes: Uint8Array): string {
  return quoteBytes(bytes, QUOTE_WIDTH);
}

const endings: Readonly<Record<InputEnd, string>> = {
  "end of stream": "the end of the stream",
  "reset": "a reset",
  "failed": "a failure of its connection",
  "closed": "its own close",
};

/**
 * What one end got instead of what it should have: `got nothing within 5s`, `got "HTTP/1.1 400 …"
 * and the end of the stream`.
 *
 * @param timeout Milliseconds that it has waited.
 */
export function whatCame(end: EagerPeer, timeout: number): string {
  const { ending, pending } = end;
  const within = formatDuration(timeout);
  if (pending === 0) return `got ${ending ? endings[ending] : `nothing within ${within}`}`;
  const then = ending ? endings[ending] : `nothing more within ${within}`;
  return `got ${quoted(end.peek())} and ${then}`;
}

/**
 * Where bytes differ from those that were sent, and how, where that is a usual alteration.
 *
 * @param before How many of those sent have already come. @default {0}
 */
export function difference(got: Uint8Array, all: Uint8Array, before = 0): string | undefined {
  const sent = all.subarray(before);
  const place = firstDifference(got, sent);
  if (place === undefined) return undefined;
  const where = `byte ${grouped(before + place + 1)} of ${grouped(all.length)}`;
  const how = alteration(got, sent);
  return `${where} is not what was sent${how === undefined ? "" : ` (${how})`}`;
}

const alterations: readonly (readonly [name: string, apply: (text: string) => string])[] = [
  ["LF became CR LF", (text) => text.replaceAll(/\r?\n/g, "\r\n")],
  ["CR LF became LF", (text) => text.replaceAll("\r\n", "\n")],
  ["the eighth bit was cleared", (text) => text.replaceAll(/[\x80-\xff]/g, cleared)],
];

/** The usual alteration that turns what was sent into what came. */
export function alteration(got: Uint8Array, sent: Uint8Array): string | undefined {
  const [came, text] = [latin1(got), latin1(sent)];
  return alterations.find(([, apply]) => {
    const altered = apply(text);
    return altered !== text && (altered.startsWith(came) || came.startsWith(altered));
  })?.[0];
}

function cleared(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) & 0x7f);
}

/** A character for each byte: enough of them to recognise an alteration. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 4_096));
}
