/** The head of an HTTP/1 request: what the page needs to answer it. */
export interface HttpRequest {
  readonly method: string;
  /** The path that it asks for, without the query. */
  readonly path: string;
  /** By their names in lower case; several of one name are joined, as RFC 9110 5.3 says. */
  readonly headers: ReadonlyMap<string, string>;
}

/** `GET /events?x HTTP/1.1`: only a path of this server's own, never a whole URL (RFC 9112 3.2.1). */
const REQUEST_LINE = /^([A-Z]+) (\/[^\s?#]*)(?:\?\S*)? HTTP\/1\.[01]$/;
/** `Host: 127.0.0.1:4100`: no space before the colon, no line that continues the one before. */
const FIELD_LINE = /^([\w!#$%&'*+.^`|~-]+):(.*)$/;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Returns where the head of a request ends: after its first empty line; -1 if it is not there yet.
 *
 * @param from Bytes before this one have been looked at before.
 */
export function endOfHead(bytes: Uint8Array, from: number): number {
  for (let index = Math.max(1, from - 2); index < bytes.length; index++) {
    if (bytes[index] !== LF) continue;
    const before = bytes[index - 1] === CR ? index - 2 : index - 1;
    if (bytes[before] === LF) return index + 1;
  }
  return -1;
}

/** Reads the head of a request (RFC 9112); `undefined` if it is not one. */
export function parseHead(bytes: Uint8Array): HttpRequest | undefined {
  const [first = "", ...lines] = latin1(bytes).trim().split(/\r?\n/);
  const [, method, path] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined || path === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ""] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined) return undefined;
    const key = name.toLowerCase();
    const before = headers.get(key);
    // Trimmed apart: a pattern that does both takes long where there is much white space.
    headers.set(key, before === undefined ? value.trim() : `${before}, ${value.trim()}`);
  }
  return { method, path, headers };
}

/** Each byte as one character, so that no byte is lost. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
