import { type Endpoint, loopbackAddresses, type Protocol } from "../../protocol/addresses.ts";
import { PIPELINE_SIZE, TYPING_MS } from "../../protocol/line_buffer.ts";
import { acceptFrom } from "../../sockets/accept.ts";
import { listenTcp } from "../../sockets/listen.ts";
import { listenUnix } from "../../sockets/listen_unix.ts";
import { SilenceTimers } from "../../sockets/silence_timers.ts";
import type { Trace } from "../../sockets/socket_events.ts";
import type { Stream, StreamListener } from "../../sockets/stream.ts";
import { SocketTrace, traceListener } from "../../sockets/trace.ts";
import type { Service } from "../service.ts";
import { BufferPool } from "./buffer_pool.ts";
import { ServerConnection } from "./server_connection.ts";
import type { ConnectionContext } from "./connection_context.ts";
import { Deadlines } from "../../sockets/deadlines.ts";
import { cutAll, Drain } from "./drain.ts";
import { scheduler } from "./scheduler.ts";
import {
  type AddressOptions,
  allLimits,
  commonPort,
  guardedEvents,
  type Server,
  type ServerEvents,
  type StreamOptions,
} from "./server.ts";

/** Bytes of a buffer that replies are encoded into; a longer reply gets one of its own. */
const REPLY_SIZE = 4_096;
/**
 * How many of those are kept: more than are in flight in one turn of the event loop. Encoding
 * into a new buffer for each reply takes four times as long (`task bench --only 64x1`).
 */
const REPLIES_KEPT = 256;
/**
 * How many of the buffers for pipelines and long requests are kept: a new one for each read
 * would take twice as long as everything else (`task bench --only 64x256`).
 */
const REQUESTS_KEPT = 64;
/** Connections that may stay for a while to read that the server is full. */
const MAX_TURNED_AWAY = 32;
/** Milliseconds without a new connection after which a stopping server takes its queue to be empty. */
const QUEUED_MS = 10;
/** Looks that must find it empty: the first may come before a turn of accepting. */
const QUEUED_LOOKS = 2;
/** Milliseconds after a stop from which nothing more is accepted. */
const MAX_QUEUED_MS = 1_000;

/**
 * Starts a server that runs the service over TCP.
 *
 * No error in accepting, in a connection or in its input stops it; only
 * `signal`, `once` and its scope do.
 *
 * @throws {SocketFailure} of kind `BIND` if it can't listen.
 */
export async function serve(
  service: Service,
  options: StreamOptions & AddressOptions,
): Promise<Server> {
  const { addresses = loopbackAddresses, port, reusePort, trace } = options;
  const listen = service.resets ? await resettableListen() : listenTcp;
  const listeners = await listen(addresses, port, { reusePort });
  return new StreamServer(service, traced(listeners, service, trace), options);
}

/** Loaded only if needed: node:net takes a while to load, and most servers do without. */
async function resettableListen(): Promise<typeof listenTcp> {
  return (await import("../../sockets/node_stream.ts")).listenResettableOnAll;
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

  readonly #options: StreamOptions;
  readonly #events: ServerEvents;
  readonly #context: ConnectionContext;
  readonly #connections = new Set<ServerConnection>();
  readonly #turnedAway = new Set<ServerConnection>();
  readonly #stopping = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  served = 0;
  #accepted = 0;
  #drain: Drain | undefined;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(service: Service, listeners: readonly StreamListener[], options: StreamOptions) {
    const limits = allLimits(options);
    const events = guardedEvents(options.events);
    this.#options = options;
    this.#events = events;
    this.addresses = listeners.map(({ addr }) => addr);
    this.protocol = this.addresses.some((address) => "path" in address) ? "unix" : "tcp";
    this.port = commonPort(this.addresses);
    this.#context = {
      service,
      protocol: this.protocol,
      ...limits,
      deadlines: new Deadlines(Math.min(limits.idleTimeout, limits.requestTimeout)),
      silence: new SilenceTimers(),
      typing: service.isWhole && {
        timers: new SilenceTimers(TYPING_MS),
        isWhole: service.isWhole,
      },
      replyBuffers: new BufferPool(REPLY_SIZE, REPLIES_KEPT),
      requestBuffers: new BufferPool(PIPELINE_SIZE, REQUESTS_KEPT),
      onAnswered: events.answered,
      onSent: events.sent,
      onIgnored: events.ignored,
      onForeign: events.foreign,
      answered: 0,
      draining: false,
    };
    const accepting = listeners.map((listener) =>
      acceptFrom(listener, {
        signal: this.#stopping.signal,
        admit: (stream) => this.#admit(stream),
        onFailure: events.acceptFailed,
      })
    );
    this.finished = Promise.all([...accepting, this.#ended.promise]).then(() => this.#cleanUp());
    if (options.signal?.aborted) this.#stop();
    else options.signal?.addEventListener("abort", this.#stop);
  }

  get open(): number {
    return this.#connections.size;
  }

  get #isFull(): boolean {
    return this.#connections.size >= this.#context.maxConnections;
  }

  #admit(stream: Stream): void {
    const connection = new ServerConnection(++this.#accepted, stream, this.#context);
    if (this.#stopping.signal.aborted || this.#isFull) return this.#turnAway(connection);

    this.served++;
    this.#connections.add(connection);
    this.#events.connected?.(connection);
    connection.run().then((reason) => {
      this.#connections.delete(connection);
      this.#events.closed?.(connection, reason);
      this.#endIfDone();
    });
    if (this.#options.once) this.#stopListening();
  }

  #turnAway(connection: ServerConnection): void {
    this.#events.rejected?.(connection);
    const isTooMany = this.#turnedAway.size >= MAX_TURNED_AWAY;
    const patience = isTooMany || this.#drain?.isOver ? 0 : undefined;
    this.#turnedAway.add(connection);
    connection.turnAway(patience).then(() => {
      this.#turnedAway.delete(connection);
      this.#endIfDone();
    });
  }

  #stopListening(): void {
    this.#drain?.endIdle();
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    if (this.#drain?.isOver) {
      cutAll(this.#connections);
      cutAll(this.#turnedAway);
    }
    this.#endIfDone();
  }

  readonly #stop = (): void => {
    if (this.#drain !== undefined) return;
    this.#drain = new Drain(this.#connections, this.#turnedAway, this.#context);
    this.#acceptQueued(performance.now() + MAX_QUEUED_MS);
  };

  /**
   * Accepts the clients that have connected and wait in the kernel's queue, then stops
   * listening: closing the listener at once would reset them.
   */
  #acceptQueued(end: number, looks = 0): void {
    const before = this.#accepted;
    this.#stopTimer = setTimeout(() => {
      const isOver = this.#drain?.isOver || performance.now() >= end;
      const next = this.#accepted === before ? looks + 1 : 0;
      if (isOver || next === QUEUED_LOOKS) this.#stopListening();
      else this.#acceptQueued(end, next);
    }, QUEUED_MS);
  }

  #endIfDone(): void {
    const open = this.#connections.size + this.#turnedAway.size;
    if (this.#stopping.signal.aborted && open === 0) this.#ended.resolve();
  }

  #cleanUp(): void {
    this.#options.signal?.removeEventListener("abort", this.#stop);
    this.#context.deadlines.stop();
    this.#context.silence.stop();
    this.#context.typing?.timers.stop();
    scheduler.release();
    this.#drain?.stop();
    clearTimeout(this.#stopTimer);
  }

  /** Stops at once: connections are cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    cutAll(this.#connections);
    cutAll(this.#turnedAway);
    this.#endIfDone();
    await this.finished;
  }
}
