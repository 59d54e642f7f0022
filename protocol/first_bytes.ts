// deno-lint-ignore-file no-control-regex -- many protocols begin with control characters
import { ERROR_PREFIX } from "./reply.ts";

/** What clients of other protocols begin with. */
export type ForeignKind = "PROXY v1" | "PROXY v2" | "TLS" | "HTTP" | "SSH" | "telnet" | "UTF-16";

/** A connection, or a datagram, that begins as no request of these services does. */
export interface ForeignStart {
  readonly kind: ForeignKind;
  /** The error reply that says so: at most `MAX_ERROR_LENGTH` bytes. */
  readonly error: string;
  /** How it begins, each byte as a character. */
  readonly pattern: RegExp;
  /**
   * Whether it is a request after all to a service that answers it: any text is a message.
   * @default {false}
   */
  readonly mayBeText?: boolean;
  /** Whether requests may follow. @default {false} */
  readonly goesOn?: boolean;
}

/** Bytes that are looked at. */
const SEEN = 512;

const unspoken = (protocol: string): string =>
  `${ERROR_PREFIX}this server does not speak ${protocol}`;
/** The reply to a header of the PROXY protocol. */
export const NO_PROXY_PROTOCOL = unspoken("the PROXY protocol");
const wide: Pick<ForeignStart, "kind" | "error"> = {
  kind: "UTF-16",
  error: `${ERROR_PREFIX}the request is UTF-16 text, not UTF-8`,
};

/** The first that fits counts. */
const starts: readonly ForeignStart[] = [
  {
    // Its two empty lines may have been passed over (haproxy.org, proxy-protocol.txt).
    kind: "PROXY v2",
    error: NO_PROXY_PROTOCOL,
    pattern: /^(?:\r\n){0,2}\0\r\nQUIT\n/,
  },
  {
    kind: "PROXY v1",
    error: NO_PROXY_PROTOCOL,
    pattern:
      /^PROXY (?:TCP[46] [\d.]+ [\d.]+ \d+ \d+|TCP6 [\da-fA-F:.]+ [\da-fA-F:.]+ \d+ \d+|UNKNOWN[^\r\n]*)\r\n/,
  },
  // A handshake record (RFC 8446, section 5.1; over UDP RFC 9147, section 4).
  { kind: "TLS", error: unspoken("TLS"), pattern: /^\x16(?:\x03[\0-\x04]|\xfe[\xfd\xff])/ },
  { kind: "HTTP", error: unspoken("HTTP"), pattern: /^[A-Z]{3,10} \S+ HTTP\/\d/, mayBeText: true },
  { kind: "SSH", error: unspoken("SSH"), pattern: /^SSH-\d/, mayBeText: true },
  { ...wide, pattern: /^(?:\xff\xfe(?:$|[^\0]\0)|\xfe\xff)/, goesOn: true },
  { ...wide, pattern: /^(?:[^\0]\0[^\0]\0|\0[^\0]\0[^\0])/, mayBeText: true },
  {
    // A command (RFC 854).
    kind: "telnet",
    error: `${ERROR_PREFIX}this server negotiates no telnet options`,
    pattern: /^\xff[\xf0-\xfe]/,
    goesOn: true,
  },
];

/** What the first bytes show, if they are not a request. Costs little for digits and signs. */
export function foreignStart(bytes: Uint8Array): ForeignStart | undefined {
  const [first = 0, second = 1] = bytes;
  if (first > 0x1f && first < 0x41 && second !== 0) return undefined;
  const text = String.fromCharCode(...bytes.subarray(0, SEEN));
  return starts.find(({ pattern }) => pattern.test(text));
}
