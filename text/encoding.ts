/** Bytes that tell UTF-16 from UTF-8. */
const ENOUGH = 4;

/** Bytes of UTF-16 that are read at once; as UTF-8 they are half as many again at most. */
const PIECE = 16_384;

const encoder = new TextEncoder();

/** Reads at least one byte into the buffer; returns how many, or `null` at the end. */
type Read = (buffer: Uint8Array) => Promise<number | null>;

/**
 * How text is encoded: as its byte order mark says (RFC 2781, section 3.2), or without one as the
 * NULs of its first two characters do, which are ASCII in all that is read here.
 */
export function encodingOf([a, b, c, d]: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" {
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  if (a && b === 0 && c && d === 0) return "utf-16le";
  return a === 0 && b && c === 0 && d ? "utf-16be" : "utf-8";
}

/**
 * The text of a file in UTF-8 or UTF-16 (as `>` of Windows PowerShell writes), without its byte
 * order mark.
 *
 * @throws {TypeError} if it is neither.
 */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
}

/**
 * Reads the same text as UTF-8. What is UTF-8 already passes unchanged, its byte order mark too.
 *
 * @returns a function that reads into at least {@linkcode ENOUGH} bytes at first, and throws a
 * `TypeError` for UTF-16 that is malformed.
 */
export function readingUtf8(read: Read): Read {
  let next: Read = async (buffer) => {
    const count = await readEnough(read, buffer);
    const start = buffer.slice(0, count);
    const encoding = encodingOf(start);
    next = encoding === "utf-8" ? read : fromUtf16(read, encoding, start);
    if (encoding === "utf-8") return count === 0 ? null : count;
    return await next(buffer);
  };
  return (buffer) => next(buffer);
}

/** Reads until the encoding is known. A line takes two bytes at least: none is held back. */
async function readEnough(read: Read, buffer: Uint8Array): Promise<number> {
  let count = 0;
  while (count < 2 || (count < ENOUGH && (buffer[0] === 0 || buffer[1] === 0))) {
    const more = await read(buffer.subarray(count));
    if (more === null) break;
    count += more;
  }
  return count;
}

/** @param start What has been read. */
function fromUtf16(read: Read, encoding: "utf-16le" | "utf-16be", start: Uint8Array): Read {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const piece = new Uint8Array(PIECE);
  let waiting = encoder.encode(decoder.decode(start, { stream: true }));
  let ended = false;
  return async (buffer) => {
    while (waiting.length === 0) {
      if (ended) return null;
      const count = await read(piece);
      ended = count === null;
      const text = decoder.decode(piece.subarray(0, count ?? 0), { stream: !ended });
      waiting = encoder.encode(text);
    }
    const taken = waiting.subarray(0, buffer.length);
    buffer.set(taken);
    waiting = waiting.subarray(taken.length);
    return taken.length;
  };
}
