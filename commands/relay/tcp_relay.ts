import type { Endpoint, InternetEndpoint } from "../../protocol/addresses.ts";
import { acceptFrom } from "../../sockets/accept.ts";
import { errorName } from "../../sockets/errno.ts";
import { listenResettableOnAll } from "../../sockets/node_stream.ts";
import type { Stream, StreamListener } from "../../sockets/stream.ts";
import { ConnectionFaults } from "./connection_faults.ts";
import { drawFrom, type Draws } from "./faults/draw.ts";
import { Link, resetStream } from "./link.ts";
import type { Relay, RelayOptions } from "./relay_engine.ts";

/** Milliseconds to pass on what had arrived when the relay stopped. */
const ARRIVED_MS = 50;

/**
 * Listens for clients and joins each to its own connection to the server, until the signal.
 *
 * @throws {SocketFailure} of kind `BIND` if it can't listen there.
 */
export async function startTcpRelay(options: RelayOptions, signal: AbortSignal): Promise<Relay> {
  const listeners = await listenResettableOnAll(options.addresses, options.port, { weight: 2 });
  const relay = new TcpRelay(options, listeners);
  const stop = (): void => relay.stop();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return relay;
}

class TcpRelay implements Relay {
  readonly protocol = "tcp";
  readonly addresses: readonly InternetEndpoint[];
  connections = 0;
  rejected = 0;
  readonly finished: Promise<void>;

  readonly #options: RelayOptions;
  readonly #draws: Draws;
  readonly #links = new Set<Link>();
  /** Clients whose connection to the server is not yet open. */
  readonly #waiting = new Set<Stream>();
  readonly #stopped = new AbortController();
  /** Resolves once the relay has stopped and the last connection is closed. */
  readonly #over = Promise.withResolvers<void>();

  constructor(options: RelayOptions, listeners: readonly StreamListener[]) {
    this.#options = options;
    this.#draws = drawFrom(options.faults, options.seed);
    this.addresses = listeners.map(({ addr }) => addr as InternetEndpoint);
    const loops = listeners.map((listener) =>
      acceptFrom(listener, {
        admit: (client) => this.#accept(client),
        signal: this.#stopped.signal,
        onFailure: (error) => options.notice({ what: "accept failed", error }),
      })
    );
    this.finished = Promise.all([...loops, this.#over.promise]).then(() => {});
  }

  /**
   * Stops accepting, passes on what has arrived, and resets what is still open after that, so that
   * neither end takes this for an ordinary end.
   */
  stop(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort(new Error("the relay stops"));
    const timer = setTimeout(() => {
      for (const link of this.#links) link.reset();
    }, ARRIVED_MS);
    this.#over.promise.then(() => clearTimeout(timer));
    this.#settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.finished;
  }

  /** Connects to the server for a new client; nothing is read from the client until then. */
  async #accept(client: Stream): Promise<void> {
    const id = ++this.connections;
    const ends = { client: client.remote, relay: client.local };
    if (this.#links.size + this.#waiting.size >= this.#options.maxConnections) {
      this.rejected++;
      this.#options.notice({ what: "full", connection: id, ...ends });
      return resetStream(client);
    }
    const arrivedAt = performance.now();
    const faults = this.#draws.strike(id);
    this.#waiting.add(client);
    try {
      const { stream, endpoint } = await this.#options.backend.connect(this.#stopped.signal);
      this.#emit(id, { what: "connected", server: endpoint, ...ends }, arrivedAt);
      const link = new Link({
        id,
        client,
        server: stream,
        ends: { ...ends, server: endpoint },
        emit: this.#options.emit,
        keep: this.#options.keep,
        faults: faults.length > 0 ? new ConnectionFaults(faults, id, this.#draws) : undefined,
        ended: (link) => {
          this.#links.delete(link);
          this.#settle();
        },
      });
      this.#links.add(link);
      link.start();
    } catch (error) {
      this.#refuse(id, client, ends, error, arrivedAt);
    } finally {
      this.#waiting.delete(client);
      this.#settle();
    }
  }

  /** Resets a client whose server can't be reached: nothing else would say so. */
  #refuse(
    id: number,
    client: Stream,
    ends: { readonly client: Endpoint; readonly relay: Endpoint },
    error: unknown,
    arrivedAt: number,
  ): void {
    const { backend } = this.#options;
    const server = backend.endpoints[0] ?? backend.place;
    if (!this.#stopped.signal.aborted) {
      this.#emit(id, { what: "refused", server, why: errorName(error), ...ends }, arrivedAt);
    }
    resetStream(client);
  }

  #emit(id: number, event: Reached, arrivedAt: number): void {
    const time = performance.now();
    this.#options.emit?.({ time, connection: id, ...event, elapsedMs: time - arrivedAt });
  }

  #settle(): void {
    const isOver = this.#stopped.signal.aborted && this.#links.size + this.#waiting.size === 0;
    if (isOver) this.#over.resolve();
  }
}

type Reached =
  & { readonly client: Endpoint; readonly relay: Endpoint; readonly server: Endpoint }
  & ({ readonly what: "connected" } | { readonly what: "refused"; readonly why: string });
