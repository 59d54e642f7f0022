import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { readDatagram } from "../../protocol/datagram.ts";
import type { Watch } from "../../sockets/dial.ts";
import type { SocketFailureKind } from "../../sockets/errno.ts";
import { type ReplyFacts, SocketFailure } from "../../sockets/failure.ts";
import { clientAddress } from "../../sockets/listen.ts";
import type { Call, Received } from "./call.ts";
import { DatagramPeer } from "./datagram_peer.ts";

const encoder = new TextEncoder();

/**
 * A call over UDP: each request is one datagram from a socket of its own, so a
 * late or duplicate reply is never taken for the reply to the next request.
 */
export class DatagramCall implements Call {
  readonly protocol = "udp";
  /** Requests are sent one at a time, since datagrams may be reordered. */
  readonly framed = false;
  readonly ended = false;

  received: Received = { bytes: 0, at: 0 };
  readonly remote: InternetEndpoint;
  readonly #timeout: number;
  readonly #watch: Watch | undefined;
  readonly #datagramOf: (request: string) => string;
  #peer: DatagramPeer | undefined;
  #local: InternetEndpoint | undefined;
  #sendFailure: unknown;

  constructor(
    remote: InternetEndpoint,
    timeout: number,
    watch?: Watch,
    datagramOf: (request: string) => string = (request) => request,
  ) {
    this.#datagramOf = datagramOf;
    this.#watch = watch;
    this.remote = remote;
    this.#timeout = timeout;
  }

  get local(): InternetEndpoint {
    return this.#local ?? { hostname: clientAddress(this.remote.hostname), port: 0 };
  }

  async send([request = ""]: readonly string[]): Promise<void> {
    this[Symbol.dispose]();
    this.#sendFailure = undefined;
    let peer: DatagramPeer | undefined;
    try {
      this.#peer = peer = new DatagramPeer(this.remote, this.#watch);
      this.#local = peer.local;
      await peer.send(encoder.encode(`${this.#datagramOf(request)}\n`));
    } catch (error) {
      if (peer !== this.#peer) return; // the time was up
      this.#sendFailure = error;
      this[Symbol.dispose]();
    }
  }

  async receive(timeout = this.#timeout): Promise<string[]> {
    const reply = await this.#peer?.inbox.next(timeout);
    if (this.#sendFailure !== undefined) throw this.#sendFailure;
    if (reply === undefined) {
      this[Symbol.dispose]();
      throw this.#failure("TIMEOUT");
    }
    this.received = { bytes: this.received.bytes + reply.bytes.length, at: reply.at };
    const { line } = readDatagram(reply.bytes);
    if (line === null) throw this.#failure("ERROR", { problem: "not text" });
    return [line];
  }

  /** Unsolicited datagrams are never received: each request has a socket of its own. */
  unasked(): Promise<never> {
    return new Promise(() => {});
  }

  [Symbol.dispose](): void {
    this.#peer?.[Symbol.dispose]();
    this.#peer = undefined;
  }

  #failure(kind: SocketFailureKind, facts: Partial<ReplyFacts> = {}): SocketFailure {
    return new SocketFailure(kind, {
      phase: "reply",
      endpoint: this.remote,
      protocol: "udp",
      timeoutMs: this.#timeout,
      received: 0,
      ...facts,
    });
  }
}
