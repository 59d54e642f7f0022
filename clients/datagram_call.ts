import { formatEndpoints, isSameEndpoint } from "../protocol/addresses.ts";
import { MAX_DATAGRAM, readDatagram } from "../protocol/datagram.ts";
import { formatDuration } from "../protocol/duration.ts";
import { Failure } from "../protocol/failure.ts";
import { type DatagramSocket, SocketTrace, traceDatagrams } from "../protocol/socket_events.ts";
import type { Call } from "./call.ts";
import type { DialOptions, Watch } from "./dial.ts";
import { kindOf } from "./socket_errors.ts";

const encoder = new TextEncoder();

/**
 * Prepares to ask over UDP. Nothing is sent yet, so nothing can fail yet.
 *
 * The first of the addresses is asked: UDP does not tell whether anybody is there.
 */
export function dialUdp({ addresses, port, timeout, watch }: DialOptions): Call {
  return new DatagramCall(addresses[0] ?? "", port, timeout, watch);
}

/**
 * A call over UDP: each request is one datagram from a socket of its own, so a
 * reply that comes too late, or twice, is never taken for the next one's.
 */
class DatagramCall implements Call {
  /** Requests are asked one at a time: datagrams may overtake each other. */
  readonly framed = false;

  readonly #remote: Deno.NetAddr;
  readonly #timeout: number;
  /** Holds any datagram: those of IPv6 may be a little longer than those of IPv4. */
  readonly #buffer = new Uint8Array(65_536);
  readonly #watch: Watch | undefined;
  #socket: DatagramSocket<Deno.Addr> | undefined;
  #sendFailure: Failure | undefined;
  #timedOut = false;

  constructor(hostname: string, port: number, timeout: number, watch: Watch | undefined) {
    this.#watch = watch;
    this.#remote = { transport: "udp", hostname, port };
    this.#timeout = timeout;
  }

  async send([request = ""]: readonly string[]): Promise<void> {
    try {
      this.#socket?.close();
      this.#socket = this.#open();
      await this.#socket.send(encoder.encode(`${request}\n`), this.#remote);
    } catch (cause) {
      if (this.#timedOut) return;
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `cannot send to ${this.#peer}: ${why}`;
      this.#sendFailure = new Failure(kindOf(cause) ?? "ERROR", message, {
        cause,
        hint:
          `a datagram holds at most ${MAX_DATAGRAM} bytes; without --udp there is no such limit`,
      });
      this.#close();
    }
  }

  async receive(): Promise<string[]> {
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.#close();
    }, this.#timeout);
    try {
      return [this.#text(await this.#fromPeer())];
    } catch (error) {
      if (this.#sendFailure !== undefined) throw this.#sendFailure;
      if (this.#timedOut) throw this.#timeoutFailure();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #open(): DatagramSocket<Deno.Addr> {
    const hostname = this.#remote.hostname.includes(":") ? "::" : "0.0.0.0";
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    if (this.#watch === undefined) return socket;
    return traceDatagrams(socket, new SocketTrace(this.#watch.trace, this.#watch.who));
  }

  /** The next datagram of the peer; what others send is passed over. */
  async #fromPeer(): Promise<Uint8Array> {
    while (true) {
      if (this.#socket === undefined) throw this.#sendFailure ?? this.#timeoutFailure();
      try {
        const [bytes, remote] = await this.#socket.receive(this.#buffer);
        if (isSameEndpoint(remote as Deno.NetAddr, this.#remote)) return bytes;
      } catch (error) {
        // Windows tells so that nobody listens there, Linux not at all.
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      }
    }
  }

  #text(bytes: Uint8Array): string {
    const { line } = readDatagram(bytes);
    if (line !== null) return line;
    const hint = "the peer may be another kind of server: check --host and --port";
    throw new Failure("ERROR", `the reply of ${this.#peer} is not UTF-8 text`, { hint });
  }

  #timeoutFailure(): Failure {
    const time = formatDuration(this.#timeout);
    return new Failure("TIMEOUT", `no reply from ${this.#peer} within ${time}`, {
      hint: "UDP does not tell whether nobody listens there or a datagram was lost: " +
        "check the server, then try again",
    });
  }

  get #peer(): string {
    return formatEndpoints([this.#remote], "udp");
  }

  #close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}
