import type { Call } from "../../clients/call/call.ts";
import { type CallPlace, dial } from "../../clients/call/dial.ts";
import { openTalk, type TalkPeer } from "../../clients/call/talk_peer.ts";
import type { Endpoint, InternetEndpoint } from "../../protocol/addresses.ts";
import { startServer } from "../../services/server/start.ts";
import type { Service } from "../../services/service.ts";
import { type ConnectOptions, open } from "../../sockets/dial.ts";
import { bindTcp } from "../../sockets/listen.ts";
import type { SocketEvent } from "../../sockets/socket_events.ts";
import type { Stream, StreamListener } from "../../sockets/stream.ts";
import { SocketTrace, traceListener } from "../../sockets/trace.ts";

const HOST = "127.0.0.1";
/** Milliseconds that a client on the stage waits for a reply. */
export const STAGE_TIMEOUT_MS = 500;

/** How the programs on a stage talk. */
export type Transport =
  | { readonly protocol: "tcp" | "udp" }
  | { readonly protocol: "unix"; readonly path: string };

/** Where a real server and a real client meet; it records their socket calls. */
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

  /** Starts a server over the stage's transport; returns where it listens. */
  async serve(service: Service): Promise<Endpoint> {
    const { transport } = this;
    const place = transport.protocol === "unix"
      ? transport
      : { ...transport, addresses: [HOST], port: 0 };
    const events = { closed: () => this.#served.resolve() };
    const server = await startServer(service, place, { trace: this.#trace, events });
    const { addresses: [address] } = this.#open.use(server);
    if (address === undefined) throw new TypeError("Cannot play a server without an address");
    return address;
  }

  /** Opens a client's call to a server. @param timeout Milliseconds to wait for it, and a reply. */
  dial(who: string, to: Endpoint, timeout = STAGE_TIMEOUT_MS): Promise<Call> {
    return dial(this.#placeOf(to), { ...this.#watchedBy(who), timeout });
  }

  /** Opens a connection for a client that plays a conversation. */
  open(who: string, to: Endpoint): Promise<TalkPeer> {
    return openTalk(this.#placeOf(to), this.#watchedBy(who));
  }

  #placeOf(to: Endpoint): CallPlace {
    const { protocol } = this.transport;
    return "path" in to || protocol === "unix"
      ? { protocol: "unix", path: pathOf(to) }
      : { protocol, addresses: [to.hostname], port: to.port };
  }

  #watchedBy(who: string): ConnectOptions {
    return { timeout: STAGE_TIMEOUT_MS, watch: { trace: this.#trace, who } };
  }

  /** Opens a bare connection to a server, for a client whose calls are made one by one. */
  async connect(who: string, to: Endpoint): Promise<Stream> {
    if ("path" in to) throw new TypeError("Cannot connect over TCP to a path");
    const { hostname, port } = to;
    const watch = { trace: this.#trace, who };
    return this.#open.use(await open(to, () => Deno.connect({ hostname, port }), watch));
  }

  /** Opens a bare listener, for a server whose calls are made one by one. */
  listen(who: string): StreamListener {
    const listener = bindTcp({ hostname: HOST, port: 0 });
    const traced = traceListener(listener, new SocketTrace(this.#trace, who));
    return this.#open.adopt(traced, (listener) => listener.close());
  }

  /** An address where nothing is listening. */
  emptyPlace(): InternetEndpoint {
    const listener = Deno.listen({ hostname: HOST, port: 0 });
    const { port } = listener.addr;
    listener.close();
    return { hostname: HOST, port };
  }

  /** Waits until the server has seen the end of the connection, if there is one. */
  async served(): Promise<void> {
    if (this.transport.protocol !== "udp") await this.#served.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

function pathOf(endpoint: Endpoint): string {
  if ("path" in endpoint && endpoint.path !== null) return endpoint.path;
  throw new TypeError("Cannot dial a Unix socket without a path");
}
