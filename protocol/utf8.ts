import { isUtf8 } from "../text/utf8.ts";

/** What a decoder substitutes for bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

/** The byte order mark (RFC 3629, section 6). */
const MARK = [0xef, 0xbb, 0xbf];

/** Not `fatal`: throwing takes longer than decoding 10,000 bytes. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Maximum bytes of ASCII to decode without the decoder, whose call takes longer (`task bench --only udp`). */
const SHORT = 48;

/** Bytes as text, a byte order mark kept; `null` if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  if (bytes.length <= SHORT && isAscii(bytes)) return fromAscii(bytes);
  const text = decoder.decode(bytes);
  return text.includes(REPLACEMENT) && !isUtf8(bytes) ? null : text;
}

/** Bytes of the byte order mark at an index; 0 if there is none. */
export function markLength(bytes: Uint8Array, index: number): number {
  return MARK.every((byte, offset) => bytes[index + offset] === byte) ? MARK.length : 0;
}

function isAscii(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let index = 0; index < bytes.length; index++) bits |= bytes[index] ?? 0;
  return bits < 0x80;
}

/** `apply` accepts typed arrays too, which TypeScript does not know. */
function fromAscii(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
