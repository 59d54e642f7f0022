import {
  formatEndpoint,
  type InternetEndpoint,
  loopbackAddresses,
} from "../../protocol/addresses.ts";
import { MAX_DATAGRAM, readDatagram } from "../../protocol/datagram.ts";
import type { Line } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import { messageOf } from "../../sockets/errno.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { SocketTrace, traceDatagrams } from "../../sockets/trace.ts";
import { Backoff } from "./backoff.ts";
import { bindUdp } from "../../sockets/listen.ts";
import {
  type AddressOptions,
  ARRIVED_MS,
  commonPort,
  defaultLimits,
  NOT_UTF8,
  type Peer,
  type Server,
  type ServerEvents,
  type ServerOptions,
} from "./server.ts";
import type { Service } from "../service.ts";

/** Ports below this one are system services (RFC 6335): nothing there asks a lesson's server. */
const FIRST_USER_PORT = 1_024;
/** Milliseconds in which an address gets no second reply that could be taken for a request. */
const DOUBTFUL_MS = 1_000;
/** Addresses that are remembered for that. */
const MAX_REMEMBERED = 1_024;

const encoder = new TextEncoder();

/**
 * Starts a server that runs the service over UDP: one datagram is one request
 * and gets at most one datagram back.
 *
 * Two servers never talk to each other: what reads as a reply is not answered,
 * nor what comes from a system port or from the server itself; and a reply that
 * the other end could take for a request goes to an address once a second.
 *
 * @throws {SocketFailure} of kind `BIND` if it can't have the addresses.
 */
export function serveUdp(service: Service, options: ServerOptions & AddressOptions): Server {
  return new DatagramServer(service, options);
}

/** A request with the reply that it gets. */
interface Exchange {
  readonly peer: Peer;
  readonly request: Line;
  readonly reply: string;
  readonly ending: "\n" | "";
}

class DatagramServer implements Server {
  readonly protocol = "udp";
  readonly addresses: readonly InternetEndpoint[];
  readonly port: number | undefined;
  readonly finished: Promise<void>;

  readonly #service: Service;
  readonly #sockets: readonly DatagramSocket[];
  readonly #options: ServerOptions;
  readonly #events: ServerEvents;
  readonly #maxRequest: number;
  readonly #own: ReadonlySet<string>;
  readonly #doubtful = new DoubtfulReplies();
  readonly #stopping = new AbortController();
  #received = 0;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(service: Service, options: ServerOptions & AddressOptions) {
    this.#service = service;
    this.#options = options;
    this.#events = options.events ?? {};
    this.#maxRequest = Math.min(options.maxRequest ?? defaultLimits.maxRequest, MAX_DATAGRAM);
    const { addresses = loopbackAddresses, port } = options;
    const sockets = bindUdp(addresses, port);
    const { trace } = options;
    this.#sockets = trace === undefined
      ? sockets
      : sockets.map((socket) =>
        traceDatagrams(socket, new SocketTrace(trace, `${service.name}-server`))
      );
    this.addresses = sockets.map(({ addr }) => addr);
    this.port = commonPort(this.addresses);
    this.#own = ownNames(this.addresses);
    this.finished = Promise.all(this.#sockets.map((socket) => this.#serveFrom(socket)))
      .then(() => this.#cleanUp());
    if (options.signal?.aborted) this.#drain();
    else options.signal?.addEventListener("abort", this.#drain);
  }

  /** Receives into one buffer and sends from one: new ones for each datagram would be a fifth as fast. */
  async #serveFrom(socket: DatagramSocket): Promise<void> {
    // Room for a line end, and for one byte more, which tells a datagram that was cut.
    const buffer = new Uint8Array(this.#maxRequest + 3);
    const replyBuffer = new Uint8Array(MAX_DATAGRAM);
    const pause = new Backoff();
    while (!this.#stopping.signal.aborted) {
      try {
        const [bytes, from] = await socket.receive(buffer);
        pause.reset();
        const exchange = this.#answer(bytes, internetEndpointOf(from), socket.addr);
        if (exchange === undefined) continue;
        const { written } = encoder.encodeInto(exchange.reply + exchange.ending, replyBuffer);
        const sent = socket.send(replyBuffer.subarray(0, written), from);
        await sent.then(() => this.#onSent(exchange), (error) => this.#onUnsent(exchange, error));
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        // Windows tells so that an earlier reply found nobody.
        if (error instanceof Deno.errors.ConnectionReset) continue;
        this.#events.acceptFailed?.(error as Error);
        await pause.wait(this.#stopping.signal);
      }
    }
  }

  /** A datagram with its reply; `undefined` if it gets none. */
  #answer(
    bytes: Uint8Array,
    remote: InternetEndpoint,
    local: InternetEndpoint,
  ): Exchange | undefined {
    const peer = { id: ++this.#received, remote, local };
    const { line: request, length, ending } = readDatagram(bytes);
    const silent = this.#reasonForSilence(request, remote);
    if (silent !== undefined) {
      this.#events.ignored?.(peer, silent);
      return undefined;
    }
    const reply = this.#reply(length, request);
    if (!this.#readsAsReply(reply) && !this.#doubtful.allows(remote)) {
      this.#events.ignored?.(peer, "answered a moment ago");
      return undefined;
    }
    return { peer, request, reply, ending };
  }

  #onSent({ peer, request, reply }: Exchange): void {
    this.#events.answered?.(peer, request, reply);
    if (this.#options.once) this.#close();
  }

  #onUnsent({ peer }: Exchange, error: unknown): void {
    this.#events.ignored?.(peer, `cannot send: ${messageOf(error)}`);
  }

  /** Why a datagram is not to be answered, if it is not. */
  #reasonForSilence(request: Line, remote: InternetEndpoint): string | undefined {
    if (remote.port < FIRST_USER_PORT) return "from a system port";
    if (remote.port === this.port && this.#own.has(formatEndpoint(remote))) {
      return "from this server itself";
    }
    if (request !== null && this.#readsAsReply(request)) return "reads as a reply";
    return undefined;
  }

  /** Whether a text is surely a reply, and no request. */
  #readsAsReply(text: string): boolean {
    return text.startsWith(ERROR_PREFIX) || this.#service.isReply?.(text) === true;
  }

  #reply(length: number, request: Line): string {
    if (length > this.#maxRequest) {
      return `${ERROR_PREFIX}the request is longer than ${this.#maxRequest} bytes`;
    }
    if (request === null) return NOT_UTF8;
    const reply = this.#service.reply(request);
    // No character is shorter than a byte, so most replies need not be measured.
    const fits = reply.length * 3 < MAX_DATAGRAM ||
      encoder.encode(reply).length < MAX_DATAGRAM;
    return fits ? reply : `${ERROR_PREFIX}the reply does not fit in a datagram`;
  }

  /** Answers what the kernel holds already, then closes. */
  readonly #drain = (): void => {
    this.#stopTimer ??= setTimeout(() => this.#close(), ARRIVED_MS);
  };

  #close(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    for (const socket of this.#sockets) socket.close();
  }

  #cleanUp(): void {
    clearTimeout(this.#stopTimer);
    this.#options.signal?.removeEventListener("abort", this.#drain);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.finished;
  }
}

/** Remembers whom a doubtful reply went to, in bounded memory. */
class DoubtfulReplies {
  /** Addresses with the time of their reply, the latest last. */
  readonly #sent = new Map<string, number>();

  /** Whether the address may get a reply that could be taken for a request. */
  allows(remote: InternetEndpoint): boolean {
    const now = performance.now();
    const name = formatEndpoint(remote);
    const last = this.#sent.get(name);
    if (last !== undefined && now - last < DOUBTFUL_MS) return false;
    this.#sent.delete(name);
    this.#sent.set(name, now);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > MAX_REMEMBERED && oldest !== undefined) this.#sent.delete(oldest);
    return true;
  }
}

/** How the server itself appears as a sender; at every address also as loopback. */
function ownNames(addresses: readonly InternetEndpoint[]): ReadonlySet<string> {
  const names = addresses.flatMap((address) => {
    const everywhere = address.hostname === "0.0.0.0" || address.hostname === "::";
    const hosts = everywhere ? loopbackAddresses : [address.hostname];
    return hosts.map((hostname) => formatEndpoint({ hostname, port: address.port }));
  });
  return new Set(names);
}
