import type { Line } from "./line_buffer.ts";
import { decodeUtf8, markLength } from "./utf8.ts";

/** Maximum bytes of a datagram: 65,535 less the IPv4 and UDP headers (RFC 768, RFC 791). */
export const MAX_DATAGRAM = 65_507;

const LF = 0x0a;
const CR = 0x0d;

/** One datagram: a request or a reply. */
export interface Datagram {
  /** Its text without the line end; `null` if it is not UTF-8. */
  readonly line: Line;
  /** Bytes without the line end. */
  readonly length: number;
  /** `"\n"` if it came with a line end, so that its answer gets one too. */
  readonly ending: "\n" | "";
}

/** Reads a datagram: a final LF or CRLF is dropped, and so is a byte order mark. */
export function readDatagram(bytes: Uint8Array): Datagram {
  const framed = bytes.at(-1) === LF;
  const end = framed ? (bytes.at(-2) === CR ? -2 : -1) : bytes.length;
  const text = bytes.subarray(markLength(bytes, 0), end);
  return { line: decodeUtf8(text), length: text.length, ending: framed ? "\n" : "" };
}
