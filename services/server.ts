import { loopbackAddresses } from "../protocol/addresses.ts";
import { errnoOf } from "../protocol/failure.ts";
import type { Line } from "../protocol/line_buffer.ts";
import { Connection, type ConnectionContext, type EndReason } from "./connection.ts";
import { Deadlines, QuietQueue } from "./deadlines.ts";
import { listenAll } from "./listen.ts";
import type { Service } from "./service.ts";

/** How a server listens, what it allows, and when it stops. */
export interface ServeOptions {
  /** IP addresses to listen on. @default {both loopback addresses, so far as the host has them} */
  readonly addresses?: readonly string[];
  /** Port, 0-65535; 0 takes any free one, the same on every address. */
  readonly port: number;
  /** Serves one connection and stops. @default {false} */
  readonly once?: boolean;
  /** Connections served at a time. @default {10_000} */
  readonly maxConnections?: number;
  /** Bytes that a request may have, its line end not counted. @default {65_536} */
  readonly maxRequest?: number;
  /** Milliseconds a connection may be idle. @default {300_000} */
  readonly idleTimeout?: number;
  /** Milliseconds a request may take to arrive whole, and replies to be taken. @default {10_000} */
  readonly requestTimeout?: number;
  /** Milliseconds that connections are given to end once the server stops. @default {5_000} */
  readonly grace?: number;
  /** Stops the server: nothing more is accepted, what has arrived is answered. */
  readonly signal?: AbortSignal;
  readonly events?: ServerEvents;
}

/** What a server tells of its work. A callback must not throw. */
export interface ServerEvents {
  /** A connection was accepted. */
  connected?(connection: Connection): void;
  /** A request (`null`: it was not UTF-8) was answered. */
  answered?(connection: Connection, request: Line, reply: string): void;
  /** A connection ended. */
  closed?(connection: Connection, reason: EndReason): void;
  /** A connection was turned away, as the server is full. */
  rejected?(connection: Connection): void;
  /** Accepting failed; it is tried again after a pause. */
  acceptFailed?(error: Error): void;
}

/** A running server. It ends when its scope does. */
export interface Server extends AsyncDisposable {
  /** Where it listens, with the real port. */
  readonly addresses: readonly Deno.NetAddr[];
  /** Resolves once the server has stopped and every connection has ended. */
  readonly finished: Promise<void>;
}

/** Connections that may stay for a while, to take the message that the server is full. */
const MAX_TURNED_AWAY = 32;
/** Descriptors that are left free once the process has run out of them. */
const SPARE_DESCRIPTORS = 64;
/** Milliseconds to wait after a failed accept: the first time, and at most. */
const ACCEPT_PAUSE_MS = { first: 5, most: 1_000 };
/** Milliseconds in which a request that had arrived when the server stopped is read. */
const ARRIVED_MS = 50;

/**
 * Starts a server that runs the service.
 *
 * No error of a connection, of accepting or of its input ends it; only
 * `signal`, `once` and its scope do.
 *
 * @throws {Failure} of kind `BIND` if it can't listen on any of the addresses.
 */
export function serve(service: Service, options: ServeOptions): Server {
  return new TcpServer(service, options);
}

class TcpServer implements Server {
  readonly addresses: readonly Deno.NetAddr[];
  readonly finished: Promise<void>;

  readonly #listeners: readonly Deno.TcpListener[];
  readonly #options: ServeOptions;
  readonly #events: ServerEvents;
  readonly #context: ConnectionContext;
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Connection>();
  readonly #stopping = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #maxConnections: number;
  #accepted = 0;
  #drainTimers: ReturnType<typeof setTimeout>[] = [];

  constructor(service: Service, options: ServeOptions) {
    const { idleTimeout = 300_000, requestTimeout = 10_000, events = {} } = options;
    this.#options = options;
    this.#events = events;
    this.#maxConnections = options.maxConnections ?? 10_000;
    this.#listeners = listenAll(
      options.addresses ?? loopbackAddresses,
      options.port,
    );
    this.addresses = this.#listeners.map((listener) => listener.addr);
    this.#context = {
      service,
      maxRequest: options.maxRequest ?? 65_536,
      idleTimeout,
      requestTimeout,
      deadlines: new Deadlines(Math.min(idleTimeout, requestTimeout)),
      quiet: new QuietQueue((connection) => connection.onQuiet()),
      onRequest: events.answered,
    };
    const accepting = this.#listeners.map((listener) => this.#acceptFrom(listener));
    this.finished = Promise.all([...accepting, this.#ended.promise]).then(() => this.#cleanUp());
    if (options.signal?.aborted) this.#stop();
    else options.signal?.addEventListener("abort", this.#stop);
  }

  /** Accepts until the server stops. A `for await` would end at the first failure. */
  async #acceptFrom(listener: Deno.TcpListener): Promise<void> {
    let pause = ACCEPT_PAUSE_MS.first;
    while (!this.#stopping.signal.aborted) {
      try {
        const conn = await listener.accept();
        if (this.#connections.size < this.#maxConnections) {
          pause = ACCEPT_PAUSE_MS.first;
        }
        this.#admit(conn);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (wasReset(error)) continue;
        this.#onAcceptFailed(error as Error);
        await this.#pause(pause);
        pause = Math.min(pause * 2, ACCEPT_PAUSE_MS.most);
      }
    }
  }

  #admit(conn: Deno.TcpConn): void {
    const connection = new Connection(++this.#accepted, conn, this.#context);
    const full = this.#connections.size >= this.#maxConnections;
    if (full || this.#stopping.signal.aborted) {
      return this.#turnAway(connection);
    }

    this.#connections.add(connection);
    this.#events.connected?.(connection);
    connection.run().then((reason) => {
      this.#connections.delete(connection);
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
    const code = errnoOf(error);
    if (code === "EMFILE" || code === "ENFILE") {
      // Deno itself fails in places at this limit: stay away from it from now on.
      const reached = Math.max(1, this.#connections.size - SPARE_DESCRIPTORS);
      this.#maxConnections = Math.min(this.#maxConnections, reached);
    }
    this.#events.acceptFailed?.(error);
  }

  /** Waits, but not beyond the server's stop. */
  #pause(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = this.#stopping;
    const timer = setTimeout(resolve, milliseconds);
    const stopped = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stopped, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", stopped));
  }

  #stopListening(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    for (const listener of this.#listeners) listener[Symbol.dispose]();
  }

  readonly #stop = (): void => {
    this.#stopListening();
    for (const connection of this.#connections) connection.drain();
    // Requests in the kernel's buffer are read in the next turns of the event
    // loop; who still waits for one after that is idle.
    const endIdle = (): void => this.#connections.forEach((connection) => connection.endIfIdle());
    const { grace = 5_000 } = this.#options;
    this.#drainTimers.push(
      setTimeout(endIdle, ARRIVED_MS),
      setTimeout(this.#cutAll, grace),
    );
    this.#endIfDone();
  };

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
    this.#drainTimers.forEach(clearTimeout);
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
