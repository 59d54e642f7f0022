import { formatEndpoint, type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { descriptors } from "../../sockets/descriptors.ts";
import { bindUdp } from "../../sockets/bind_udp.ts";
import { bindClient } from "../../sockets/listen.ts";
import { receiveFrom } from "../../sockets/receive.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { drawFrom } from "./faults/draw.ts";
import { Flow, type FlowContext } from "./flow.ts";
import type { Relay, RelayOptions } from "./relay_engine.ts";

/** Milliseconds without a datagram after which a client is forgotten. */
const FORGET_AFTER_MS = 60_000;
const SWEEP_MS = 5_000;
/** Milliseconds without an answer after which the server is looked up again, and between lookups. */
const UNANSWERED_MS = 1_000;
/** Clients at a time, descriptors permitting: a new one replaces the longest silent. */
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
  readonly #context: FlowContext;
  /** Longest silent first. */
  readonly #flows = new Map<string, Flow>();
  #lookedUpAt = -Infinity;
  readonly #stopped = new AbortController();
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor(options: RelayOptions, sockets: readonly DatagramSocket[]) {
    this.#options = options;
    const draws = drawFrom(options.faults, options.seed);
    this.#context = {
      ...options,
      draws,
      datagrams: { client: 0, server: 0 },
      waitingSince: undefined,
    };
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
      take: (bytes, client) => this.#flowOf(near, client)?.pass("client", bytes),
      onFailure: (error) => this.#options.notice({ what: "accept failed", error }),
    });
  }

  /** Returns the flow of a client; `undefined` as long as the server has no address. */
  #flowOf(near: DatagramSocket, client: Deno.Addr): Flow | undefined {
    const [server] = this.#options.backend.endpoints;
    const { waitingSince = Infinity } = this.#context;
    if (server === undefined || performance.now() - waitingSince > UNANSWERED_MS) {
      this.#lookUpAgain();
    }
    if (server === undefined) return undefined;
    const key = `${near.addr.hostname} ${formatEndpoint(internetEndpointOf(client))}`;
    let flow = this.#flows.get(key);
    // It goes to the end of the map, which keeps the longest silent client first.
    this.#flows.delete(key);
    if (flow?.isWaiting && !isSameEndpoint(flow.server, server)) {
      flow.end("silent"); // the server has moved
      flow = undefined;
    }
    if (flow === undefined && !this.#hasRoom()) this.#forgetOldest();
    flow ??= this.#begin(near, client, server);
    this.#flows.set(key, flow);
    return flow;
  }

  #hasRoom(): boolean {
    const most = Math.min(MAX_CLIENTS, this.#options.maxConnections);
    return this.#flows.size < most && descriptors.hasRoom();
  }

  #begin(near: DatagramSocket, client: Deno.Addr, server: InternetEndpoint): Flow {
    const far = bindClient(server);
    return new Flow({ id: ++this.connections, client, near, far, server }, this.#context);
  }

  /** The server does not answer: its name may have another address by now. */
  #lookUpAgain(): void {
    const now = performance.now();
    if (now - this.#lookedUpAt < UNANSWERED_MS) return;
    this.#lookedUpAt = now;
    this.#options.backend.lookUpAgain().catch(() => {}); // the next datagram tries again
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
