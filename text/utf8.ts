/**
 * Bytes of the UTF-8 character that begins at an index (Unicode, table 3-7); 0 if none does: no
 * overlong form, no surrogate, nothing beyond U+10FFFF, nothing cut off.
 */
export function utf8Length(bytes: Uint8Array, index: number): number {
  const first = bytes[index] ?? 0xff;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || index + length > bytes.length) return 0;
  const second = bytes[index + 1] ?? 0;
  const min = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const max = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < min || second > max) return 0;
  for (let more = 2; more < length; more++) {
    if (((bytes[index + more] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** Whether the bytes are well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length;) {
    const length = utf8Length(bytes, index);
    if (length === 0) return false;
    index += length;
  }
  return true;
}
