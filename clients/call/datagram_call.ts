import { type Endpoint, type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { readDatagram } from "../../protocol/datagram.ts";
import type { Watch } from "../../sockets/dial.ts";
import { kindOf, type SocketFailureKind } from "../../sockets/errno.ts";
import { type ReplyFacts, SocketFailure } from "../../sockets/failure.ts";
import { Inbox } from "../../sockets/inbox.ts";
import { bindClient, clientAddress } from "../../sockets/listen.ts";
import type { DatagramSocket } from "../../sockets/stream.ts";
import { SocketTrace, traceDatagrams } from "../../sockets/trace.ts";
import type { Call, Received } from "./call.ts";

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
  /** The sender of a datagram that was ignored because it is not the peer. */
  stranger: Endpoint | undefined;

  readonly remote: InternetEndpoint;
  readonly #timeout: number;
  readonly #watch: Watch | undefined;
  readonly #datagramOf: (request: string) => string;
  #inbox: Inbox | undefined;
  #local: InternetEndpoint | undefined;
  #sendFailure: SocketFailure | undefined;

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
    let inbox: Inbox | undefined;
    try {
      const socket = this.#open();
      this.#local = socket.addr;
      this.#inbox = inbox = new Inbox([socket], ({ from }) => this.#isPeer(from));
      const bytes = encoder.encode(`${this.#datagramOf(request)}\n`);
      await socket.send(bytes, { transport: "udp", ...this.remote });
    } catch (cause) {
      if (inbox !== this.#inbox) return; // the time was up
      const facts = { phase: "send", endpoint: this.remote, protocol: "udp" } as const;
      this.#sendFailure = new SocketFailure(kindOf(cause) ?? "ERROR", facts, cause);
      this[Symbol.dispose]();
    }
  }

  async receive(timeout = this.#timeout): Promise<string[]> {
    const reply = await this.#inbox?.next(timeout);
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
    this.#inbox?.[Symbol.dispose]();
    this.#inbox = undefined;
  }

  #open(): DatagramSocket {
    const socket = bindClient(this.remote);
    if (this.#watch === undefined) return socket;
    return traceDatagrams(socket, new SocketTrace(this.#watch.trace, this.#watch.who));
  }

  #isPeer(from: InternetEndpoint): boolean {
    const isPeer = isSameEndpoint(from, this.remote);
    if (!isPeer) this.stranger = from;
    return isPeer;
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
