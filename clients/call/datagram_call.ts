import { type Endpoint, type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { readDatagram } from "../../protocol/datagram.ts";
import type { Watch } from "../../sockets/dial.ts";
import { kindOf, type SocketFailureKind } from "../../sockets/errno.ts";
import { type ReplyFacts, SocketFailure } from "../../sockets/failure.ts";
import { bindDatagrams } from "../../sockets/listen.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
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
  /** Holds any datagram: over IPv6 they may be slightly longer than over IPv4. */
  readonly #buffer = new Uint8Array(65_536);
  readonly #watch: Watch | undefined;
  readonly #datagramOf: (request: string) => string;
  #socket: DatagramSocket | undefined;
  #local: InternetEndpoint | undefined;
  #sendFailure: SocketFailure | undefined;
  #timedOut = false;

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
    return this.#local ?? { hostname: anyAddress(this.remote), port: 0 };
  }

  async send([request = ""]: readonly string[]): Promise<void> {
    this.#timedOut = false;
    this.#sendFailure = undefined;
    try {
      this.#socket?.close();
      this.#socket = this.#open();
      this.#local = this.#socket.addr;
      await this.#socket.send(encoder.encode(`${this.#datagramOf(request)}\n`), {
        transport: "udp",
        ...this.remote,
      });
    } catch (cause) {
      if (this.#timedOut) return;
      const facts = { phase: "send", endpoint: this.remote, protocol: "udp" } as const;
      this.#sendFailure = new SocketFailure(kindOf(cause) ?? "ERROR", facts, cause);
      this.#close();
    }
  }

  async receive(timeout = this.#timeout): Promise<string[]> {
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.#close();
    }, timeout);
    try {
      return [this.#text(await this.#fromPeer())];
    } catch (error) {
      if (this.#sendFailure !== undefined) throw this.#sendFailure;
      if (this.#timedOut) throw this.#failure("TIMEOUT");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Unsolicited datagrams are never received: each request has a socket of its own. */
  unasked(): Promise<never> {
    return new Promise(() => {});
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #open(): DatagramSocket {
    const hostname = anyAddress(this.remote);
    const socket = bindDatagrams({ hostname, port: 0 });
    if (this.#watch === undefined) return socket;
    return traceDatagrams(socket, new SocketTrace(this.#watch.trace, this.#watch.who));
  }

  /** The next datagram from the peer; others are ignored. */
  async #fromPeer(): Promise<Uint8Array> {
    while (true) {
      if (this.#socket === undefined) throw this.#sendFailure ?? this.#failure("TIMEOUT");
      try {
        const [bytes, remote] = await this.#socket.receive(this.#buffer);
        const from = internetEndpointOf(remote);
        if (!isSameEndpoint(from, this.remote)) {
          this.stranger = from;
          continue;
        }
        this.received = { bytes: this.received.bytes + bytes.length, at: performance.now() };
        return bytes;
      } catch (error) {
        // On Windows this means that nothing is listening there; Linux does not report that.
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      }
    }
  }

  #text(bytes: Uint8Array): string {
    const { line } = readDatagram(bytes);
    if (line !== null) return line;
    throw this.#failure("ERROR", { problem: "not text" });
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

  #close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

/** The wildcard address of the same family. */
function anyAddress({ hostname }: InternetEndpoint): string {
  return hostname.includes(":") ? "::" : "0.0.0.0";
}
