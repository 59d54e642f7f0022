import type { ReceiveEnd } from "../../../clients/challenge.ts";
import type { Challenge, HttpAnswer } from "./challenge.ts";

/** Bytes of a body that are looked at; a longer one need not arrive whole. */
const MAX_BODY = 65_536;
/** Bytes of a status line and headers. */
export const MAX_HEAD = 65_536;

/** Statuses that are accepted, both ends included. */
export interface StatusRange {
  readonly first: number;
  readonly last: number;
}

/** Accepted unless `--status` says otherwise: a redirect is shown, but not followed. */
export const DEFAULT_STATUS: StatusRange = { first: 200, last: 399 };

/** What is asked of a web server, and what its answer must be. */
export interface HttpRequest {
  /** With its query. */
  readonly path: string;
  readonly status: StatusRange;
  /** What the body must contain. */
  readonly body?: WantedText | undefined;
}

/** A text that a body must contain. */
export interface WantedText {
  /** As typed. */
  readonly text: string;
  isIn(body: Uint8Array): boolean;
}

const LF = 0x0a;
const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/**
 * A GET over HTTP/1.1 (RFC 9112). The answer is right once it is whole, or has
 * {@linkcode MAX_BODY} bytes of a body.
 *
 * @param host The Host header: with its port, unless that is the scheme's own.
 */
export function httpChallenge(request: HttpRequest, host: string): Challenge {
  const { path, status: { first, last }, body } = request;
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "User-Agent: netdemo",
    "Accept: */*",
    "Accept-Encoding: identity",
    "Connection: close",
  ];
  return {
    request: encoder.encode(`${lines.join("\r\n")}\r\n\r\n`),
    fresh: false,
    echo: false,
    form: "http",
    expected: body?.text ?? "",
    match(received, over) {
      const head = headOf(received);
      if (head === undefined) return { is: received.length > MAX_HEAD ? "wrong" : "part" };
      if (head === "malformed") return { is: "wrong", ...over === undefined && { afterMs: 30 } };
      if (head.status < first || head.status > last) return { is: "wrong" };
      const arrived = bodyOf(head, received.subarray(head.size), over);
      if (arrived === "malformed") return { is: "wrong" };
      if (!arrived.isWhole && arrived.bytes.length < MAX_BODY) return { is: "part" };
      if (body === undefined) return { is: "right" };
      return { is: body.isIn(arrived.bytes.subarray(0, MAX_BODY)) ? "right" : "wrong" };
    },
    answer: answerIn,
  };
}

/** The status of an answer, if that has arrived. */
function answerIn(received: Uint8Array): HttpAnswer | undefined {
  const head = headOf(received);
  if (head === undefined || head === "malformed") return undefined;
  const { status, reason, headers } = head;
  const encoding = headers.get("content-encoding");
  return { status, reason, location: headers.get("location"), encoding };
}

/** Whether what has arrived is, or may become, a status line. */
export function startsLikeHttp(received: Uint8Array): boolean {
  const start = latin1.decode(received.subarray(0, "HTTP/1.1".length));
  return "HTTP/1.".startsWith(start) || /^HTTP\/1\.\d$/.test(start);
}

/** A status line and its headers. */
interface Head {
  readonly status: number;
  readonly reason: string;
  /** By their names in lower case; the values of one that came several times are a list. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes up to the body. */
  readonly size: number;
}

/** The head of the final answer: those of interim ones (1xx) are passed over. */
function headOf(received: Uint8Array): Head | "malformed" | undefined {
  const text = latin1.decode(received.subarray(0, MAX_HEAD));
  let start = /^[\r\n]*/.exec(text)?.[0].length ?? 0; // the line end of an earlier body
  if (!startsLikeHttp(received.subarray(start))) return "malformed";
  while (true) {
    const [whole, block = ""] = /^([^]*?)\r?\n\r?\n/.exec(text.slice(start)) ?? [];
    if (whole === undefined) return undefined;
    start += whole.length;
    // A line that begins with a space continues the one before.
    const [statusLine = "", ...fields] = block.split(/\r?\n(?![ \t])/);
    const [, status, reason = ""] = /^HTTP\/1\.\d ([1-9]\d\d)(?: (.*))?$/.exec(statusLine) ?? [];
    if (status === undefined) return "malformed";
    if (status.startsWith("1") && status !== "101") continue;
    return { status: Number(status), reason, headers: headersOf(fields), size: start };
  }
}

function headersOf(fields: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const field of fields) {
    const colon = field.indexOf(":");
    if (colon === -1) continue;
    const name = field.slice(0, colon).trim().toLowerCase();
    const value = field.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** A body, as far as it has arrived. */
interface Body {
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
}

/** Final answers that have no body, whatever their headers say. */
const bodiless: readonly number[] = [101, 204, 304];

/** The body's bytes, by the rules of RFC 9112, section 6.3. */
function bodyOf(
  { status, headers }: Head,
  rest: Uint8Array,
  over: ReceiveEnd | undefined,
): Body | "malformed" {
  if (bodiless.includes(status)) return { bytes: rest.subarray(0, 0), isWhole: true };
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined && /\bchunked$/i.test(coding)) return dechunked(rest);
  const [length, ...others] = headers.get("content-length")?.split(",").map((it) => it.trim()) ??
    [];
  if (coding !== undefined || length === undefined) return { bytes: rest, isWhole: over === "end" };
  if (!/^\d+$/.test(length) || others.some((other) => other !== length)) return "malformed";
  const bytes = rest.subarray(0, Number(length));
  return { bytes, isWhole: bytes.length === Number(length) };
}

/** The bytes of chunks (RFC 9112, section 7.1). */
function dechunked(rest: Uint8Array): Body | "malformed" {
  const bytes = new Uint8Array(rest.length);
  let size = 0;
  let at = 0;
  const soFar = (isWhole: boolean): Body => ({ bytes: bytes.subarray(0, size), isWhole });
  while (true) {
    const lineEnd = rest.indexOf(LF, at);
    const line = latin1.decode(rest.subarray(at, lineEnd === -1 ? undefined : lineEnd));
    const [, digits = ""] = /^([\da-f]{1,16})[ \t]*(?:;.*)?\r?$/i.exec(line) ?? [];
    if (lineEnd === -1) return line === "" || digits !== "" ? soFar(false) : "malformed";
    if (digits === "") return "malformed";
    at = lineEnd + 1;
    const length = parseInt(digits, 16);
    if (length === 0) {
      const trailers = latin1.decode(rest.subarray(at));
      return soFar(/^(?:.+\r?\n)*\r?\n/.test(trailers));
    }
    const chunk = rest.subarray(at, at + length);
    bytes.set(chunk, size);
    size += chunk.length;
    at += length;
    const chunkEnd = /^\r?\n/.exec(latin1.decode(rest.subarray(at, at + 2)))?.[0];
    if (chunkEnd === undefined) return rest.length >= at + 2 ? "malformed" : soFar(false);
    at += chunkEnd.length;
  }
}
