import { utf8Length } from "./utf8.ts";

/**
 * Characters that act on a terminal instead of being shown, or that break or
 * reorder its lines: control characters (C0, DEL, C1), line and paragraph
 * separators, bidirectional controls (Unicode's UAX #9), lone surrogates. And
 * those that make different texts look the same, as they have neither width nor
 * shape: the zero-width space, the word joiner and what follows it, the byte
 * order mark.
 */
const UNSAFE =
  // deno-lint-ignore no-control-regex -- finding control characters is the purpose
  /[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ud800-\udfff\ufeff]/gu;

const named: Record<string, string> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Untrusted text made safe for a terminal: on one line, with unsafe characters as `\x1b` or `\u202e`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, shownEscape);
}

/**
 * Bytes as text: what is not UTF-8 is shown as `\xd2`, byte by byte. From `\x80` on that is always
 * a byte, never a character.
 *
 * @param show Makes the parts that are text safe. @default {visible}
 */
export function visibleBytes(bytes: Uint8Array, show: (text: string) => string = visible): string {
  let shown = "";
  let start = 0;
  for (let index = 0; index < bytes.length;) {
    const length = utf8Length(bytes, index);
    index += length;
    if (length > 0) continue;
    shown += show(decoder.decode(bytes.subarray(start, index))) + byteEscape(bytes[index] ?? 0);
    start = ++index;
  }
  return shown + show(decoder.decode(bytes.subarray(start)));
}

/** A value as one line of JSON without unsafe characters. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, jsonEscape);
}

const shownEscape = remembered((character) => {
  const code = character.charCodeAt(0);
  return named[character] ??
    (code < 0x80 ? byteEscape(code) : `\\u${code.toString(16).padStart(4, "0")}`);
});

function byteEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

const jsonEscape = remembered((character) =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
);

/** Keeps each result, which cuts the time for a megabyte of control characters to a third. */
function remembered(escape: (character: string) => string): (character: string) => string {
  const escapes = new Map<string, string>();
  return (character) => {
    let known = escapes.get(character);
    if (known === undefined) escapes.set(character, known = escape(character));
    return known;
  };
}
