import type { InternetEndpoint } from "../protocol/addresses.ts";
import { isLoopback } from "./host_addresses.ts";
import { bindDatagrams } from "./listen.ts";
import { type DatagramSocket, internetEndpointOf } from "./stream.ts";
import { system } from "./system.ts";

/** Milliseconds after which a waiting send counts as stuck. */
const STUCK_MS = 20;
/** Milliseconds for which a host that blocked the others is sent nothing. */
const MUTED_MS = 10_000;
/** Datagrams that may wait on one socket. */
const MAX_WAITING = 256;
/** Hosts whose datagrams are counted. */
const MAX_COUNTED = 1_024;

/**
 * Binds a UDP socket on which no send holds up another.
 *
 * Linux holds datagrams to a neighbour for seconds, until the neighbour answers for its address
 * (ARP). It holds about as many as fit in the socket's send buffer, so one absent host, such as a
 * forged source, would stop the replies to all others. It can't fill the buffers of two sockets.
 *
 * The two share the address with SO_REUSEADDR, once it is known that no other process holds it.
 * Only Linux needs this, and not on loopback, which has no neighbours: elsewhere it is one
 * ordinary socket.
 *
 * @throws {Error} with the errno name as its `code`.
 */
export function bindWithFailover(endpoint: InternetEndpoint): DatagramSocket {
  const socket = bindDatagrams(endpoint);
  if (isLoopback(socket.addr.hostname) || !system.holdsDatagrams) return socket;
  const { addr } = socket;
  socket.close();
  const second = bindDatagrams(addr, true);
  try {
    // Linux delivers all datagrams to the socket bound last.
    return new FailoverSocket(new Sender(bindDatagrams(addr, true)), new Sender(second));
  } catch (error) {
    second.close();
    throw error;
  }
}

/** One of the two sockets, and how many datagrams wait on it. */
class Sender {
  readonly socket: DatagramSocket;
  #waiting = 0;
  /** When a send last completed, or began while none was waiting. */
  #movedAt = 0;

  constructor(socket: DatagramSocket) {
    this.socket = socket;
  }

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  get isStuck(): boolean {
    return this.#waiting > 0 && performance.now() - this.#movedAt > STUCK_MS;
  }

  async send(bytes: Uint8Array, to: Deno.Addr): Promise<number> {
    if (this.#waiting === MAX_WAITING) throw new Error("too many datagrams are waiting to be sent");
    if (this.#waiting++ === 0) this.#movedAt = performance.now();
    try {
      return await this.socket.send(bytes, to);
    } finally {
      this.#waiting--;
      this.#movedAt = performance.now();
    }
  }
}

class FailoverSocket implements DatagramSocket {
  readonly addr: InternetEndpoint;
  readonly #receiver: Sender;
  #current: Sender;
  #other: Sender;
  #watch: ReturnType<typeof setInterval> | undefined;
  /** Datagrams to each host since the sends were last found idle or stuck. */
  readonly #sent = new Map<string, number>();
  readonly #mutedUntil = new Map<string, number>();

  constructor(receiver: Sender, other: Sender) {
    this.addr = receiver.socket.addr;
    this.#receiver = this.#current = receiver;
    this.#other = other;
  }

  /** @throws {Error} for a host that has just blocked the others. */
  async send(bytes: Uint8Array, to: Deno.Addr): Promise<number> {
    const { hostname } = internetEndpointOf(to);
    if (this.#isMuted(hostname)) throw new Error("datagrams to this host are stuck");
    if (this.#sent.size < MAX_COUNTED || this.#sent.has(hostname)) {
      this.#sent.set(hostname, (this.#sent.get(hostname) ?? 0) + 1);
    }
    this.#watch ??= setInterval(this.#check, STUCK_MS / 2);
    return await this.#current.send(bytes, to);
  }

  receive(buffer: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    return this.#receiver.socket.receive(buffer);
  }

  close(): void {
    clearInterval(this.#watch);
    this.#current.socket.close();
    this.#other.socket.close();
  }

  #isMuted(hostname: string): boolean {
    const until = this.#mutedUntil.get(hostname);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#mutedUntil.delete(hostname);
    return false;
  }

  readonly #check = (): void => {
    if (this.#current.isIdle) {
      clearInterval(this.#watch);
      this.#watch = undefined;
      this.#sent.clear();
    } else if (this.#current.isStuck && !this.#other.isStuck) {
      this.#muteBlockingHost();
      [this.#current, this.#other] = [this.#other, this.#current];
    }
  };

  /** Mutes the host that more than half of the datagrams went to: it blocks the others. */
  #muteBlockingHost(): void {
    const counts = [...this.#sent];
    const half = counts.reduce((sum, [, count]) => sum + count, 0) / 2;
    const blocking = counts.find(([, count]) => count > half)?.[0];
    if (this.#mutedUntil.size === MAX_COUNTED) this.#mutedUntil.clear();
    if (blocking !== undefined) this.#mutedUntil.set(blocking, performance.now() + MUTED_MS);
    this.#sent.clear();
  }
}
