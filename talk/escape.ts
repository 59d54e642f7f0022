const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The bytes that an escape of one character stands for. */
const named: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  "0": "\0",
  "\\": "\\",
  "{": "{",
};

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u\{([\da-fA-F]{1,6})\}|([nrt0\\{]))/y;

/** What opens a value: a brace followed by anything else stands for itself. */
const VALUE = /^\{(?:[A-Za-z(]|\.\.\.)/;

const BACKSLASH = 0x5c;
const BRACE = 0x7b;

/** Characters that are written as they are. */
const SHOWN = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** An escape in a file: what it stands for, and how long it is. */
export interface Escape {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Reads the escape that begins at a position; `undefined` if it is not one. */
export function readEscape(text: string, at: number): Escape | undefined {
  ESCAPE.lastIndex = at;
  const [whole, byte, point, name] = ESCAPE.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const { length } = whole;
  if (byte !== undefined) return { bytes: Uint8Array.of(parseInt(byte, 16)), length };
  if (name !== undefined) return { bytes: encoder.encode(named[name]), length };
  const code = parseInt(point ?? "", 16);
  if (code > 0x10ffff) return undefined;
  return { bytes: encoder.encode(String.fromCodePoint(code)), length };
}

/** Whether a value begins here, and not only a brace. */
export function opensValue(text: string, at: number): boolean {
  return VALUE.test(text.slice(at, at + "{...".length));
}

/** Bytes as a line of a file has them: what can't be typed, or means something else, becomes an escape. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const run = plainRun(bytes, at);
    const character = run === "" ? characterAt(bytes, at) : undefined;
    text += run === "" ? character ?? escapeByte(bytes, at) : run;
    at += run.length || (character === undefined ? 1 : encoder.encode(character).length);
  }
  return text.replace(/ $/, "\\x20");
}

/** The plain ASCII that begins at a position; some of it if there is much. */
function plainRun(bytes: Uint8Array, at: number): string {
  let end = at;
  const limit = Math.min(bytes.length, at + 4_096);
  while (end < limit && isPlain(bytes[end] ?? 0)) end++;
  return String.fromCharCode(...bytes.subarray(at, end));
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH && byte !== BRACE;
}

/** The character that begins at a position and is written as it is; `undefined` if there is none. */
function characterAt(bytes: Uint8Array, at: number): string | undefined {
  const first = bytes[at] ?? 0;
  if (first === BRACE) return opensValue(asciiFrom(bytes, at), 0) ? undefined : "{";
  if (first < 0x80) return undefined;
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    const character = decoder.decode(bytes.subarray(at, at + size));
    return SHOWN.test(character) ? character : undefined;
  } catch {
    return undefined; // not UTF-8
  }
}

function asciiFrom(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + "{...".length));
}

function escapeByte(bytes: Uint8Array, at: number): string {
  const byte = bytes[at] ?? 0;
  const [name] = Object.entries(named).find(([, value]) => value.charCodeAt(0) === byte) ?? [];
  return `\\${name ?? `x${byte.toString(16).padStart(2, "0")}`}`;
}
