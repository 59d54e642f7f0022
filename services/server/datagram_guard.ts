import { formatEndpoint, type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import type { Line } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import { isLoopback } from "../../sockets/host_addresses.ts";
import type { Service } from "../service.ts";
import { LruMap } from "../../sockets/lru_map.ts";

/** Ports below this one belong to system services (RFC 6335): none is a client of this one. */
const FIRST_USER_PORT = 1_024;
/** Minimum milliseconds between two replies to an address that could be taken for requests. */
const AMBIGUOUS_MS = 1_000;
/** How many of those an address gets before it must be silent for a while. */
const MAX_AMBIGUOUS = 16;
/** How long that silence must be, in milliseconds. */
const FORGET_MS = 60_000;
/** A reply is large if it has more bytes than this many times its request... */
const LARGE_RATIO = 4;
/** ...plus this many. */
const LARGE_EXTRA = 64;
/** Bytes of large replies that a host may get at once, and how many more each second. */
const LARGE_BYTES = 131_072;
const LARGE_BYTES_PER_SECOND = 32_768;

/** Replies to one address that could be taken for requests. */
interface Ambiguous {
  /** How many since the address was last silent for a while. */
  readonly count: number;
  readonly answeredAt: number;
  readonly heardAt: number;
}

const neverHeard: Ambiguous = { count: 0, answeredAt: -Infinity, heardAt: -Infinity };

/** How much a host may still get in large replies. */
interface Allowance {
  readonly bytes: number;
  readonly at: number;
}

/**
 * Decides which datagrams are answered, since sources are easily forged.
 *
 * - Two servers never keep each other talking. A datagram is not answered if it
 *   reads as a reply, or comes from a system port or from the server itself. A reply
 *   that the other end could take for a request goes to an address once a second,
 *   and only a few times: a single silence ends such an exchange, however slow.
 * - A service that never amplifies sends a host no more than it received. No other
 *   can be used for a flood: of replies much larger than their requests, a host gets
 *   a bounded number of bytes, whichever of its ports they go to.
 */
export class DatagramGuard {
  readonly #service: Service;
  readonly #own: readonly { readonly addr: InternetEndpoint }[];
  readonly #ambiguous = new LruMap<Ambiguous>();
  readonly #allowances = new LruMap<Allowance>();

  /** @param own The server's sockets, including any added later. */
  constructor(service: Service, own: readonly { readonly addr: InternetEndpoint }[]) {
    this.#service = service;
    this.#own = own;
  }

  /** Why a datagram must get no answer at all; `undefined` if it may get one. */
  refuses(request: Line, remote: InternetEndpoint): string | undefined {
    if (remote.port < FIRST_USER_PORT) return "from a system port";
    if (this.#own.some(({ addr }) => isSameEndpoint(addr, remote))) {
      return "from this server itself";
    }
    if (request !== null && this.#readsAsReply(request)) return "reads as a reply";
    return undefined;
  }

  /**
   * Why this reply must not be sent; `undefined` if it may be, and then it counts as sent.
   *
   * @param replyBytes Bytes of all its datagrams, line ends included.
   * @param requestBytes Bytes of the request, its line end included.
   */
  withholds(
    reply: string,
    replyBytes: number,
    requestBytes: number,
    remote: InternetEndpoint,
    now?: number,
  ): string | undefined {
    const { neverAmplifies = false } = this.#service;
    if (neverAmplifies && replyBytes > requestBytes && !isLoopback(remote.hostname)) {
      return "the reply is longer than the request";
    }
    // A conversation may say the same on both sides; nobody forges an address of this host.
    const mayLoop = this.#service.converse === undefined || !isLoopback(remote.hostname);
    if (mayLoop && this.#isAmbiguous(reply) && !this.#allowsAmbiguous(remote, now)) {
      return "answered a moment ago";
    }
    if (replyBytes <= requestBytes * LARGE_RATIO + LARGE_EXTRA) return undefined;
    return this.#allowsLarge(remote.hostname, replyBytes, now)
      ? undefined
      : "too much sent to its host";
  }

  /** Whether a text is certainly a reply and not a request. */
  #readsAsReply(text: string): boolean {
    return text.startsWith(ERROR_PREFIX) || this.#service.isReply?.(text) === true;
  }

  /** Whether the other end could take a reply for a request. */
  #isAmbiguous(reply: string): boolean {
    return !this.#readsAsReply(reply) && this.#service.isRequest?.(reply) !== false;
  }

  #allowsAmbiguous(remote: InternetEndpoint, now = performance.now()): boolean {
    const name = formatEndpoint(remote);
    const { count, answeredAt, heardAt } = this.#ambiguous.get(name) ?? neverHeard;
    const recent = now - heardAt < FORGET_MS ? count : 0;
    const allowed = now - answeredAt >= AMBIGUOUS_MS && recent < MAX_AMBIGUOUS;
    this.#ambiguous.set(name, {
      count: allowed ? recent + 1 : recent,
      answeredAt: allowed ? now : answeredAt,
      heardAt: now,
    });
    return allowed;
  }

  #allowsLarge(host: string, bytes: number, now = performance.now()): boolean {
    const before = this.#allowances.get(host) ?? { bytes: LARGE_BYTES, at: now };
    const grown = before.bytes + (now - before.at) / 1_000 * LARGE_BYTES_PER_SECOND;
    const left = Math.min(LARGE_BYTES, grown) - bytes;
    this.#allowances.set(host, { bytes: left < 0 ? left + bytes : left, at: now });
    return left >= 0;
  }
}
