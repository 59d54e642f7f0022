import { type Endpoint, loopbackAddresses, type Protocol } from "../../protocol/addresses.ts";
import { errnoOf } from "../../sockets/errno.ts";
import type { Trace } from "../../sockets/socket_events.ts";
import { Backoff } from "./backoff.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { ConnectionLimit } from "./connection_limit.ts";
import { Deadlines, QuietQueue } from "./deadlines.ts";
import { listenTcp } from "../../sockets/listen.ts";
import type { Stream, StreamListener } from "../../sockets/stream.ts";
import { SocketTrace, traceListener } from "../../sockets/trace.ts";
import { listenUnix } from "../../sockets/listen_unix.ts";
import { BufferPool } from "./buffer_pool.ts";
import {
  type AddressOptions,
  ARRIVED_MS,
  commonPort,
  defaultLimits,
  type Server,
  type ServerEvents,
  type StreamOptions,
} from "./server.ts";
import type { Service } from "../service.ts";
import { FairQueue } from "./fair_queue.ts";

/** Connections that may stay for a while, to take the message that the server is full. */
const MAX_TURNED_AWAY = 32;
/** Descriptors that are left free once the process has run out of them. */
const SPARE_DESCRIPTORS = 64;
/** Milliseconds in which connections that had been made when the server stopped are accepted. */
const QUEUED_MS = 10;

/**
 * Starts a server that runs the service over TCP.
 *
 * No error of a connection, of accepting or of its input ends it; only
 * `signal`, `once` and its scope do.
 *
 * @throws {SocketFailure} of kind `BIND` if it can't listen.
 */
export function serve(service: Service, options: StreamOptions & AddressOptions): Server {
  const { addresses = loopbackAddresses, port, reusePort } = options;
  const listeners = listenTcp(addresses, port, reusePort);
  return new StreamServer(service, traced(listeners, service, options.trace), options);
}

/**
 * Starts a server that runs the service over a Unix socket, as {@linkcode serve} does over TCP.
 *
 * @throws {SocketFailure} of kind `BIND` if it can't listen at the path.
 */
export async function serveUnix(
  service: Service,
  options: StreamOptions & { readonly path: string },
): Promise<Server> {
  const listeners = [await listenUnix(options.path)];
  return new StreamServer(service, traced(listeners, service, options.trace), options);
}

function traced(
  listeners: readonly StreamListener[],
  { name }: Service,
  trace: Trace | undefined,
): readonly StreamListener[] {
  if (trace === undefined) return listeners;
  return listeners.map((listener) =>
    traceListener(listener, new SocketTrace(trace, `${name}-server`))
  );
}

class StreamServer implements Server {
  readonly protocol: Protocol;
  readonly addresses: readonly Endpoint[];
  readonly port: number | undefined;
  readonly finished: Promise<void>;

  readonly #listeners: readonly StreamListener[];
  readonly #options: StreamOptions;
  readonly #events: ServerEvents;
  readonly #context: ConnectionContext;
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Connection>();
  readonly #stopping = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #limit: ConnectionLimit;
  #draining = false;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setInterval> | undefined;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(service: Service, listeners: readonly StreamListener[], options: StreamOptions) {
    const {
      maxRequest = defaultLimits.maxRequest,
      maxConnections = defaultLimits.maxConnections,
      idleTimeout = defaultLimits.idleTimeout,
      requestTimeout = defaultLimits.requestTimeout,
      events = {},
    } = options;
    this.#options = options;
    this.#events = events;
    this.#limit = new ConnectionLimit(maxConnections);
    this.#listeners = listeners;
    this.addresses = listeners.map(({ addr }) => addr);
    this.protocol = this.addresses.some((address) => "path" in address) ? "unix" : "tcp";
    this.port = commonPort(this.addresses);
    this.#context = {
      service,
      maxRequest,
      idleTimeout,
      requestTimeout,
      deadlines: new Deadlines(Math.min(idleTimeout, requestTimeout)),
      quiet: new QuietQueue((connection) => connection.onQuiet()),
      buffers: new BufferPool(),
      fairQueue: new FairQueue(),
      onRequest: events.answered,
      answered: 0,
    };
    const accepting = this.#listeners.map((listener) => this.#acceptFrom(listener));
    this.finished = Promise.all([...accepting, this.#ended.promise]).then(() => this.#cleanUp());
    if (options.signal?.aborted) this.#stop();
    else options.signal?.addEventListener("abort", this.#stop);
  }

  /** Accepts until the server stops. A `for await` would end at the first failure. */
  async #acceptFrom(listener: StreamListener): Promise<void> {
    const pause = new Backoff();
    while (!this.#stopping.signal.aborted) {
      try {
        const stream = await listener.accept();
        if (!this.#limit.full) pause.reset();
        this.#admit(stream);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (wasReset(error)) continue;
        this.#onAcceptFailed(error as Error);
        await pause.wait(this.#stopping.signal);
      }
    }
  }

  #admit(stream: Stream): void {
    const connection = new Connection(this.#limit.accept(), stream, this.#context);
    if (this.#stopping.signal.aborted || !this.#limit.enter()) {
      return this.#turnAway(connection);
    }

    if (this.#draining) connection.drain();
    this.#connections.add(connection);
    this.#events.connected?.(connection);
    connection.run().then((reason) => {
      this.#connections.delete(connection);
      this.#limit.leave();
      this.#events.closed?.(connection, reason);
      this.#endIfDone();
    });
    if (this.#options.once) this.#stopListening();
  }

  #turnAway(connection: Connection): void {
    this.#events.rejected?.(connection);
    const linger = this.#turnedAway.size < MAX_TURNED_AWAY;
    this.#turnedAway.add(connection);
    connection.turnAway(linger).then(() => {
      this.#turnedAway.delete(connection);
      this.#endIfDone();
    });
  }

  #onAcceptFailed(error: Error): void {
    // Deno itself fails in places at this limit: stay away from it from now on.
    // Who holds next to nothing has not used the descriptors up.
    const spared = this.#limit.open - SPARE_DESCRIPTORS;
    if (errnoOf(error) === "EMFILE" && spared > 0) this.#limit.lowerTo(spared);
    this.#events.acceptFailed?.(error);
  }

  #stopListening(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    for (const listener of this.#listeners) listener.close();
    this.#endIfDone();
  }

  readonly #stop = (): void => {
    this.#draining = true;
    for (const connection of this.#connections) connection.drain();
    // Who had connected already may still wait in the kernel's queue: closing
    // the listener at once would reset them.
    this.#stopTimer ??= setTimeout(() => this.#stopListening(), QUEUED_MS);
    this.#idleTimer ??= this.#endIdle();
    this.#graceTimer ??= setTimeout(this.#cutAll, this.#options.grace ?? defaultLimits.grace);
  };

  /**
   * Requests in the kernel's buffer are read in the next turns of the event
   * loop; who still waits for one when nobody gets answers any more is idle.
   */
  #endIdle(): ReturnType<typeof setInterval> {
    let before = this.#context.answered;
    return setInterval(() => {
      const { answered } = this.#context;
      if (answered === before) this.#connections.forEach((connection) => connection.endIfIdle());
      before = answered;
    }, ARRIVED_MS);
  }

  readonly #cutAll = (): void => {
    for (const connection of [...this.#connections, ...this.#turnedAway]) {
      connection.cut("server stops");
    }
  };

  #endIfDone(): void {
    const open = this.#connections.size + this.#turnedAway.size;
    if (this.#stopping.signal.aborted && open === 0) this.#ended.resolve();
  }

  #cleanUp(): void {
    this.#options.signal?.removeEventListener("abort", this.#stop);
    this.#context.deadlines.stop();
    this.#context.quiet.stop();
    this.#context.fairQueue.open();
    clearTimeout(this.#stopTimer);
    clearInterval(this.#idleTimer);
    clearTimeout(this.#graceTimer);
    for (const listener of this.#listeners) listener.closed?.();
  }

  /** Stops at once: connections are cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    this.#cutAll();
    this.#endIfDone();
    await this.finished;
  }
}

/** Whether a connection was gone before it was accepted. */
function wasReset(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}
