import { once } from "../text/once.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The escapes of one character, and their bytes. */
const named = [
  ["n", 0x0a],
  ["r", 0x0d],
  ["t", 0x09],
  ["0", 0x00],
  ["\\", 0x5c],
  ["{", 0x7b],
] as const;
const bytesOfNames = new Map<string | undefined, Uint8Array>(
  named.map(([name, byte]) => [name, Uint8Array.of(byte)]),
);
const namesOfBytes = new Map<number, string>(named.map(([name, byte]) => [byte, name]));

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u\{([\da-fA-F]{1,6})\})/y;

/** What opens a value: a brace followed by anything else stands for itself. */
const VALUE = /\{(?:[A-Za-z(]|\.\.\.)/y;

const BRACE = 0x7b;
const SPACE = 0x20;

/**
 * Characters beyond ASCII that are written as they are: letters, marks, numbers, punctuation and
 * symbols. Created on first use: a literal is compiled each time that a command starts.
 */
const shown = once(() => new RegExp("^[^\\p{C}\\p{Z}]$", "u"));

/** An escape in a file: what it stands for, and how long it is. */
export interface Escape {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Reads the escape that begins at a position; `undefined` if it is not one. */
export function readEscape(text: string, at: number): Escape | undefined {
  const known = bytesOfNames.get(text[at + 1]);
  if (known !== undefined) return { bytes: known, length: 2 };
  ESCAPE.lastIndex = at;
  const [whole, byte, point] = ESCAPE.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const { length } = whole;
  if (byte !== undefined) return { bytes: Uint8Array.of(parseInt(byte, 16)), length };
  const code = parseInt(point ?? "", 16);
  if (code > 0x10ffff) return undefined;
  return { bytes: encoder.encode(String.fromCodePoint(code)), length };
}

/** Whether a value begins here, and not only a brace. */
export function opensValue(text: string, at: number): boolean {
  VALUE.lastIndex = at;
  return VALUE.test(text);
}

/** How a byte is written, unless it is a part of a character. */
function written(byte: number): string {
  const name = namesOfBytes.get(byte);
  if (byte >= 0x20 && byte < 0x7f && name === undefined) return String.fromCharCode(byte);
  return `\\${name ?? `x${byte.toString(16).padStart(2, "0")}`}`;
}

/** Bytes as a line of a file has them: what can't be typed, or means something else, becomes an escape. */
export function escapeBytes(bytes: Uint8Array): string {
  const text = escapeWithin(bytes);
  return text.endsWith(" ") ? `${text.slice(0, -1)}\\x20` : text;
}

/** The same for bytes that others follow in their line: a space at their end can be seen. */
export function escapeWithin(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    const mayBeShown = byte >= 0x80 || byte === BRACE;
    const character = mayBeShown ? characterAt(bytes, at) : undefined;
    text += character ?? written(byte);
    at += character === undefined ? 1 : sizeOf(byte);
  }
  return text;
}

/** The character that begins at a position and is written as it is; `undefined` if there is none. */
function characterAt(bytes: Uint8Array, at: number): string | undefined {
  const first = bytes[at] ?? 0;
  if (first === BRACE) {
    const isTaken = opensValue(asciiFrom(bytes, at), 0) || bytes[at + 1] === SPACE; // `{ name }`
    return isTaken ? undefined : "{";
  }
  const size = sizeOf(first);
  // A quick look: an exception for each byte of a picture would take seconds.
  for (let next = 1; next < size; next++) {
    if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return undefined;
  }
  try {
    const character = decoder.decode(bytes.subarray(at, at + size));
    return shown().test(character) ? character : undefined;
  } catch {
    return undefined; // not UTF-8
  }
}

/** The bytes of a character by its first one (RFC 3629, section 3). */
function sizeOf(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

function asciiFrom(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + "{...".length));
}
