import { formatEndpoint, type InternetEndpoint } from "../../protocol/addresses.ts";
import { bindUdp } from "../../sockets/bind_udp.ts";
import { bindDatagrams } from "../../sockets/listen.ts";
import { receiveFrom } from "../../sockets/receive.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { drawFrom } from "./faults/draw.ts";
import { Flow, type FlowContext } from "./flow.ts";
import type { Relay, RelayOptions } from "./relay_engine.ts";

/** Milliseconds without a datagram after which a client is forgotten. */
const FORGET_AFTER_MS = 60_000;
const SWEEP_MS = 5_000;
/** Clients at a time: each takes a socket and a buffer. A new one replaces the longest silent. */
const MAX_CLIENTS = 1_000;

/** Passes datagrams on between clients and a server until the signal, with a socket per client. */
export async function startUdpRelay(options: RelayOptions, signal: AbortSignal): Promise<Relay> {
  const relay = new UdpRelay(options, await bindUdp(options.addresses, options.port));
  const stop = (): void => relay.stop();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return relay;
}

class UdpRelay implements Relay {
  readonly protocol = "udp";
  connections = 0;
  readonly rejected = 0;
  readonly addresses: readonly InternetEndpoint[];
  readonly finished: Promise<void>;

  readonly #options: RelayOptions;
  readonly #server: InternetEndpoint;
  readonly #context: FlowContext;
  /** Longest silent first. */
  readonly #flows = new Map<string, Flow>();
  readonly #stopped = new AbortController();
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor(options: RelayOptions, sockets: readonly DatagramSocket[]) {
    const [server] = options.targets;
    if (server === undefined) throw new TypeError("Cannot relay to a server without an address");
    this.#options = options;
    this.#server = server;
    const draws = drawFrom(options.faults, options.seed);
    this.#context = { ...options, draws, datagrams: { client: 0, server: 0 } };
    this.addresses = sockets.map(({ addr }) => addr);
    this.finished = Promise.all(sockets.map((socket) => this.#listen(socket))).then(() => {});
    this.#sweep = setInterval(() => this.#forgetTheSilent(), SWEEP_MS);
  }

  stop(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    clearInterval(this.#sweep);
    for (const flow of this.#flows.values()) flow.end("ended");
    this.#flows.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.finished;
  }

  /** Receives the datagrams of clients. */
  #listen(near: DatagramSocket): Promise<void> {
    return receiveFrom(near, {
      signal: this.#stopped.signal,
      take: (bytes, client) => this.#flowOf(near, client).pass("client", bytes),
      onFailure: (error) => this.#options.notice({ what: "accept failed", error }),
    });
  }

  #flowOf(near: DatagramSocket, client: Deno.Addr): Flow {
    const key = `${near.addr.hostname} ${formatEndpoint(internetEndpointOf(client))}`;
    const known = this.#flows.get(key);
    // Move it to the end of the map, which keeps the longest silent client first.
    if (known !== undefined) this.#flows.delete(key);
    else if (this.#flows.size >= Math.min(MAX_CLIENTS, this.#options.maxConnections)) {
      this.#forgetOldest();
    }
    const flow = known ?? this.#begin(near, client);
    this.#flows.set(key, flow);
    return flow;
  }

  #begin(near: DatagramSocket, client: Deno.Addr): Flow {
    const hostname = this.#server.hostname.includes(":") ? "::" : "0.0.0.0";
    const far = bindDatagrams({ hostname, port: 0 });
    const id = ++this.connections;
    return new Flow({ id, client, near, far, server: this.#server }, this.#context);
  }

  #forgetOldest(): void {
    for (const [key, flow] of this.#flows) {
      this.#flows.delete(key);
      return flow.end("silent");
    }
  }

  #forgetTheSilent(): void {
    const since = performance.now() - FORGET_AFTER_MS;
    for (const [key, flow] of this.#flows) {
      if (flow.lastAt >= since) return; // so are all that follow, nearly: a reply moves none
      this.#flows.delete(key);
      flow.end("silent");
    }
  }
}
