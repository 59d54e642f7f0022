import type { Call } from "../../clients/call.ts";
import { dialUdp } from "../../clients/datagram_call.ts";
import { dial, dialUnix, open } from "../../clients/dial.ts";
import { type Endpoint, formatEndpoint, type Protocol } from "../../protocol/addresses.ts";
import { Failure } from "../../protocol/failure.ts";
import { type SocketEvent, SocketTrace, type StreamSocket } from "../../protocol/socket_events.ts";
import { serveUdp } from "../../services/datagram_server.ts";
import { listenTcp } from "../../services/listen.ts";
import { type Listening, traceListener } from "../../services/listening.ts";
import type { Server } from "../../services/server.ts";
import type { Service } from "../../services/service.ts";
import { serve, serveUnix } from "../../services/stream_server.ts";

const HOST = "127.0.0.1";
/** Milliseconds that a client on the stage waits for what will not come. */
const STAGE_TIMEOUT_MS = 500;

/** How the programs on a stage talk. */
export interface Transport {
  readonly protocol: Protocol;
  /** Where a Unix socket is to be. */
  readonly path?: string | undefined;
}

/** Where a real server and a real client meet, and what they do is written down. */
export class Stage implements AsyncDisposable {
  readonly transport: Transport;
  readonly events: SocketEvent[] = [];
  readonly #trace = (event: SocketEvent): void => void this.events.push(event);
  readonly #open = new AsyncDisposableStack();
  /** Resolves once the server has seen the connection end. */
  readonly #served = Promise.withResolvers<void>();

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Starts a server over the stage's transport. */
  async serve(service: Service): Promise<Server> {
    const { protocol, path } = this.transport;
    const events = { closed: () => this.#served.resolve() };
    const options = { trace: this.#trace, events, addresses: [HOST], port: 0 };
    const server = path !== undefined
      ? await serveUnix(service, { ...options, path })
      : protocol === "udp"
      ? serveUdp(service, options)
      : serve(service, options);
    return this.#open.use(server);
  }

  /** A client's call to a server. */
  async dial(who: string, to: Endpoint): Promise<Call> {
    const watch = { trace: this.#trace, who };
    if ("path" in to) return await dialUnix(to.path ?? "", STAGE_TIMEOUT_MS, watch);
    const options = { addresses: [to.hostname], port: to.port, timeout: STAGE_TIMEOUT_MS, watch };
    return this.transport.protocol === "udp" ? dialUdp(options) : await dial(options);
  }

  /** A bare connection to a server, for a client that does one call after the other by hand. */
  async connect(who: string, to: Endpoint): Promise<StreamSocket> {
    if ("path" in to) {
      throw new TypeError(`Cannot connect over TCP: received ${formatEndpoint(to)}`);
    }
    const socket = await open(to, () => Deno.connect({ ...to }), { trace: this.#trace, who });
    socket.setNoDelay?.(); // so that each send is a segment of its own
    return this.#open.use(socket);
  }

  /** A bare listener, for a server that does one call after the other by hand. */
  listen(who: string): Listening {
    const [listener] = listenTcp([HOST], 0);
    if (listener === undefined) throw new TypeError("Cannot listen: no address");
    const traced = traceListener(listener, new SocketTrace(this.#trace, who));
    return this.#open.adopt(traced, (listener) => listener.close());
  }

  /** A place where nobody listens. */
  emptyPlace(): Endpoint {
    const listener = Deno.listen({ hostname: HOST, port: 0 });
    const { port } = listener.addr;
    listener.close();
    return { hostname: HOST, port };
  }

  /** Waits until the server has seen the end of the connection, where there is one. */
  async served(): Promise<void> {
    if (this.transport.protocol !== "udp") await this.#served.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

/** What a failure says, as its program would print it. Other errors are thrown on. */
export function said(error: unknown): string {
  if (error instanceof Failure) return `${error.kind}: ${error.message}`;
  throw error;
}
