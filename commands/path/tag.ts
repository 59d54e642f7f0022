/** What everything that `path` sends begins with, to be recognisable on the wire. */
const MARK = "netdemo path ";
/** Longest id of a question. */
const ID_LENGTH = 16;
const NONCE_LENGTH = 16;

/** Bytes of a tag. */
export const TAG_LENGTH = MARK.length + ID_LENGTH + 1 + NONCE_LENGTH + 1;

const encoder = new TextEncoder();
const markBytes = encoder.encode(MARK);

/** A line that names a question and is unique: `netdemo path half-close 5f0c…`. */
export function newTag(id: string): string {
  const nonce = randomBytes(NONCE_LENGTH / 2).toHex();
  return `${MARK}${id.padEnd(ID_LENGTH)} ${nonce}\n`;
}

/** Whether these first bytes are a tag, or may become one. */
export function mayBeTag(bytes: Uint8Array): boolean {
  return firstDifference(bytes, markBytes) === undefined;
}

/** Whether bytes begin with the part of a tag that every tag of its question has. */
export function hasMarkOf(tag: string, bytes: Uint8Array): boolean {
  const mark = encoder.encode(tag.slice(0, MARK.length + ID_LENGTH));
  return bytes.length >= mark.length && firstDifference(bytes, mark) === undefined;
}

/** The tag that bytes begin with, whole or in part; an empty datagram has an empty tag. */
export function tagOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, TAG_LENGTH));
}

/** A new tag followed by random bytes, up to a total length. */
export function tagged(id: string, length: number): Uint8Array {
  const bytes = randomBytes(length);
  bytes.set(encoder.encode(newTag(id)).subarray(0, length));
  return bytes;
}

/** Random bytes, so that no alteration goes unnoticed. */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  // getRandomValues() fills at most 65,536 bytes at a time.
  for (let start = 0; start < length; start += 65_536) {
    crypto.getRandomValues(bytes.subarray(start, start + 65_536));
  }
  return bytes;
}

/** Index of the first byte that differs; `undefined` if one begins with the other. */
export function firstDifference(one: Uint8Array, other: Uint8Array): number | undefined {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    if (one[index] !== other[index]) return index;
  }
  return undefined;
}
