/** What a decoder substitutes for bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

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

function isAscii(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let index = 0; index < bytes.length; index++) bits |= bytes[index] ?? 0;
  return bits < 0x80;
}

/** `apply` accepts typed arrays too, which TypeScript does not know. */
function fromAscii(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

/** Whether the bytes are well-formed UTF-8 (Unicode, table 3-7). */
function isUtf8(bytes: Uint8Array): boolean {
  const { length } = bytes;
  for (let index = 0; index < length;) {
    const first = bytes[index++] ?? 0;
    if (first < 0x80) continue;
    const more = first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    if (more < 0 || index + more > length) return false;
    const second = bytes[index++] ?? 0;
    // No overlong forms, no surrogates, nothing beyond U+10FFFF.
    const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    for (let rest = 1; rest < more; rest++) {
      if (((bytes[index++] ?? 0) & 0xc0) !== 0x80) return false;
    }
  }
  return true;
}
