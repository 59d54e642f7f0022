import { type Endpoint, loopbackAddresses, type Protocol } from "../protocol/addresses.ts";
import { errnoOf } from "../protocol/failure.ts";
import { SocketTrace, type StreamSocket, type Trace } from "../protocol/socket_events.ts";
import { Backoff } from "./backoff.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { ConnectionCounts } from "./connection_counts.ts";
import { Deadlines, QuietQueue } from "./deadlines.ts";
import { listenTcp } from "./listen.ts";
import { type Listening, traceListener } from "./listening.ts";
import { listenUnix } from "./listen_unix.ts";
import { ReplyBuffers } from "./reply_buffers.ts";
import {
  type AddressOptions,
  ARRIVED_MS,
  commonPort,
  DEFAULT_MAX_REQUEST,
  type Server,
  type ServerEvents,
  type StreamOptions,
} from "./server.ts";
import type { Service } from "./service.ts";
import { Turnstile } from "./turnstile.ts";

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
 * @throws {Failure} of kind `BIND` if it can't listen.
 */
export function serve(service: Service, options: StreamOptions & AddressOptions): Server {
  const { addresses = loopbackAddresses, port, reusePort } = options;
  const listeners = listenTcp(addresses, port, reusePort);
  return new StreamServer(service, traced(listeners, service, options.trace), options);
}

/**
 * Starts a server that runs the service over a Unix socket, as {@linkcode serve} does over TCP.
 *
 * @throws {Failure} of kind `BIND` if it can't listen at the path.
 */
export async function serveUnix(
  service: Service,
  options: StreamOptions & { readonly path: string },
): Promise<Server> {
  const listeners = [await listenUnix(options.path)];
  return new StreamServer(service, traced(listeners, service, options.trace), options);
}

function traced(
  listeners: readonly Listening[],
  { name }: Service,
  trace: Trace | undefined,
): readonly Listening[] {
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

  readonly #listeners: readonly Listening[];
  readonly #options: StreamOptions;
  readonly #events: ServerEvents;
  readonly #context: ConnectionContext;
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Connection>();
  readonly #stopping = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #counts: ConnectionCounts;
  #draining = false;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setInterval> | undefined;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(service: Service, listeners: readonly Listening[], options: StreamOptions) {
    const { idleTimeout = 300_000, requestTimeout = 10_000, events = {} } = options;
    this.#options = options;
    this.#events = events;
    this.#counts = options.counts ?? ConnectionCounts.upTo(options.maxConnections ?? 10_000);
    this.#listeners = listeners;
    this.protocol = listeners[0]?.addr.transport === "unix" ? "unix" : "tcp";
    this.addresses = listeners.map(({ addr }) => addr as Endpoint);
    this.port = commonPort(this.addresses);
    this.#context = {
      service,
      maxRequest: options.maxRequest ?? DEFAULT_MAX_REQUEST,
      idleTimeout,
      requestTimeout,
      deadlines: new Deadlines(Math.min(idleTimeout, requestTimeout)),
      quiet: new QuietQueue((connection) => connection.onQuiet()),
      buffers: new ReplyBuffers(),
      turnstile: new Turnstile(),
      onRequest: events.answered,
      answered: 0,
    };
    const accepting = this.#listeners.map((listener) => this.#acceptFrom(listener));
    this.finished = Promise.all([...accepting, this.#ended.promise]).then(() => this.#cleanUp());
    if (options.signal?.aborted) this.#stop();
    else options.signal?.addEventListener("abort", this.#stop);
  }

  /** Accepts until the server stops. A `for await` would end at the first failure. */
  async #acceptFrom(listener: Listening): Promise<void> {
    const pause = new Backoff();
    while (!this.#stopping.signal.aborted) {
      try {
        const conn = await listener.accept();
        if (!this.#counts.full) pause.reset();
        this.#admit(conn);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (wasReset(error)) continue;
        this.#onAcceptFailed(error as Error);
        await pause.wait(this.#stopping.signal);
      }
    }
  }

  #admit(conn: StreamSocket): void {
    const connection = new Connection(this.#counts.accept(), conn, this.#context);
    if (this.#stopping.signal.aborted || !this.#counts.enter()) {
      return this.#turnAway(connection);
    }

    if (this.#draining) connection.drain();
    this.#connections.add(connection);
    this.#events.connected?.(connection);
    connection.run().then((reason) => {
      this.#connections.delete(connection);
      this.#counts.leave();
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
    const spared = this.#counts.open - SPARE_DESCRIPTORS;
    if (errnoOf(error) === "EMFILE" && spared > 0) this.#counts.lowerLimit(spared);
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
    this.#graceTimer ??= setTimeout(this.#cutAll, this.#options.grace ?? 5_000);
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
    this.#context.turnstile.open();
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
