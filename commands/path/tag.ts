/** What everything that `path` sends begins with, to be recognisable on the wire. */
const MARK = "netdemo path ";

const encoder = new TextEncoder();
const markBytes = encoder.encode(MARK);

/** Longest id of a question. */
const ID_LENGTH = 16;
const NONCE_LENGTH = 16;

/** Bytes of a tag. */
export const TAG_LENGTH = MARK.length + ID_LENGTH + 1 + NONCE_LENGTH + 1;

/** A line that names a question and is unique: `netdemo path half-close 5f0c…`. */
export function newTag(id: string): string {
  const digits = Array.from(
    randomBytes(NONCE_LENGTH),
    (byte) => (byte % 16).toString(16),
  );
  const nonce = digits.join("");
  return `${MARK}${id.padEnd(ID_LENGTH)} ${nonce}\n`;
}

/** Whether these first bytes are a tag, or may become one. */
export function mayBeTag(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, markBytes.length);
  return bytes.subarray(0, length).every((byte, index) => byte === markBytes[index]);
}

/** Whether bytes begin with the tag of `tagged`. An empty datagram has an empty tag. */
export function hasTagOf(tagged: Uint8Array, bytes: Uint8Array): boolean {
  const length = Math.min(tagged.length, TAG_LENGTH);
  if (bytes.length < length || (length === 0 && bytes.length > 0)) return false;
  return firstDifference(tagged.subarray(0, length), bytes) === undefined;
}

/** A tag followed by random bytes, up to a total length. */
export function tagged(tag: string, length: number): Uint8Array {
  const bytes = randomBytes(length);
  bytes.set(encoder.encode(tag).subarray(0, length));
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

/** `1,048,576`. */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}
