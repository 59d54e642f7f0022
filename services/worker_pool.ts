import { type Endpoint, loopbackAddresses } from "../protocol/addresses.ts";
import { Failure } from "../protocol/failure.ts";
import type { SocketEvent, Trace } from "../protocol/socket_events.ts";
import { ConnectionCounts } from "./connection_counts.ts";
import { listenTcp } from "./listen.ts";
import {
  type AddressOptions,
  commonPort,
  type Server,
  type ServerEvents,
  type StreamOptions,
} from "./server.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

/** What workers serve. */
export interface PoolOptions extends StreamOptions, AddressOptions {
  /** The service's name, and its reply where that was chosen. */
  readonly service: string;
  readonly reply?: string | undefined;
  /** How many workers. */
  readonly workers: number;
}

/**
 * Starts a server whose connections are spread over workers, each with a
 * listener of its own on the same port: Linux gives each new connection to one
 * of them. Limits, numbers and events are those of one server.
 *
 * The program's main module is what a worker runs; it must call `runWorker`.
 *
 * @throws {Failure} of kind `BIND` if it can't listen.
 */
export async function serveInWorkers(options: PoolOptions): Promise<Server> {
  const pool = new WorkerPool(options);
  try {
    await pool.listen();
    return pool;
  } catch (error) {
    pool.terminate();
    throw error;
  }
}

class WorkerPool implements Server {
  readonly protocol = "tcp";
  addresses: readonly Endpoint[] = [];
  readonly finished: Promise<void>;

  readonly #options: PoolOptions;
  readonly #events: ServerEvents;
  readonly #workers: readonly PoolWorker[];

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#events = options.events ?? {};
    const tell = (message: FromWorker): void => this.#tell(message);
    this.#workers = Array.from(
      { length: options.workers },
      () => new PoolWorker(tell, options.trace),
    );
    this.finished = Promise.all(this.#workers.map((worker) => worker.finished))
      .then(() => {})
      .finally(() => this.terminate());
    this.finished.catch(() => {}); // it may end before anybody waits
  }

  get port(): number | undefined {
    return commonPort(this.addresses);
  }

  async listen(): Promise<void> {
    const { service, reply, signal, maxConnections = 10_000 } = this.#options;
    // At the limit of open files Deno can't start a worker: all are started before any listens.
    await Promise.all(this.#workers.map(({ ready }) => ready));
    this.addresses = this.#freeAddresses();
    const { maxRequest, idleTimeout, requestTimeout, grace, trace } = this.#options;
    const counts = ConnectionCounts.upTo(maxConnections).memory;
    const wanted = Object.entries(this.#events).filter(([, tell]) => tell !== undefined)
      .map(([name]) => name);
    for (const worker of this.#workers) {
      worker.send({
        kind: "serve",
        service,
        reply,
        addresses: this.addresses.map((address) => "hostname" in address ? address.hostname : ""),
        port: this.port ?? 0,
        limits: { maxRequest, idleTimeout, requestTimeout, grace },
        counts,
        untold: worker.untold,
        events: trace === undefined ? wanted : [...wanted, "trace"],
      });
    }
    await Promise.all(this.#workers.map(({ listening }) => listening));
    if (signal?.aborted) this.#stop();
    else signal?.addEventListener("abort", this.#stop);
  }

  /** Ends the workers, whatever they do. */
  terminate(): void {
    this.#options.signal?.removeEventListener("abort", this.#stop);
    for (const worker of this.#workers) worker.terminate();
  }

  /** Stops at once: connections are cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.send({ kind: "cut" });
    await this.finished.catch(() => {});
  }

  /**
   * The addresses with a port that nobody else listens on. Workers could not
   * tell: to share a port with them would be no error.
   */
  #freeAddresses(): readonly Endpoint[] {
    const { addresses = loopbackAddresses, port } = this.#options;
    const listeners = listenTcp(addresses, port);
    for (const listener of listeners) listener.close();
    return listeners.map(({ addr }) => addr as Endpoint);
  }

  readonly #stop = (): void => {
    for (const worker of this.#workers) worker.send({ kind: "stop" });
  };

  #tell(message: FromWorker): void {
    const { connected, rejected, closed, answered, acceptFailed } = this.#events;
    if (message.kind === "connected") connected?.(here(message.connection));
    else if (message.kind === "rejected") rejected?.(here(message.connection));
    else if (message.kind === "closed") closed?.(here(message.connection), message.reason);
    else if (message.kind === "answered") answered?.(message.peer, message.request, message.reply);
    else if (message.kind === "acceptFailed") {
      acceptFailed?.(Object.assign(new Error(message.message), { code: message.code }));
    }
  }
}

let sockets = 0;

/** One worker, as its pool sees it. */
class PoolWorker {
  readonly #worker = new Worker(Deno.mainModule, { type: "module" });
  readonly #ready = Promise.withResolvers<void>();
  readonly #listening = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  /** How many of its events are still to be told. */
  readonly untold = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #untold = new Int32Array(this.untold);
  #told = 0;
  #turnEnd: ReturnType<typeof setImmediate> | undefined;
  /** The numbers of its sockets among those of all workers. */
  readonly #sockets = new Map<number, number>();
  readonly ready = this.#ready.promise;
  readonly listening = this.#listening.promise;
  readonly finished = this.#finished.promise;

  constructor(tell: (message: FromWorker) => void, trace: Trace | undefined) {
    for (const promise of [this.ready, this.listening, this.finished]) promise.catch(() => {});
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "ready") this.#ready.resolve();
      else if (data.kind === "listening") this.#listening.resolve();
      else if (data.kind === "finished") this.#finished.resolve();
      else if (data.kind === "failed") {
        this.#fail(new Failure("BIND", data.message, { hint: data.hint }));
      } else {
        if (data.kind === "trace") trace?.(this.#numbered(data.event));
        else tell(data);
        this.#told++;
        this.#turnEnd ??= setImmediate(this.#onTurnEnd);
      }
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Failure("ERROR", `a worker ended: ${event.message}`));
    };
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  terminate(): void {
    clearImmediate(this.#turnEnd);
    this.#worker.terminate();
  }

  /** Not at each event: what they are told to must have its turn too. */
  readonly #onTurnEnd = (): void => {
    Atomics.sub(this.#untold, 0, this.#told);
    Atomics.notify(this.#untold, 0);
    this.#told = 0;
    this.#turnEnd = undefined;
  };

  /** The event with a number of its own among all workers' sockets, and a time by this thread's clock. */
  #numbered(event: SocketEvent): SocketEvent {
    const socket = this.#sockets.get(event.socket) ?? ++sockets;
    this.#sockets.set(event.socket, socket);
    if (event.call === "close") this.#sockets.delete(event.socket);
    return { ...event, socket, time: event.time - performance.timeOrigin };
  }

  #fail(failure: Failure): void {
    for (const waiting of [this.#ready, this.#listening, this.#finished]) waiting.reject(failure);
  }
}

/** A time by this thread's clock. */
function here<Timed extends { readonly acceptedAt: number }>(connection: Timed): Timed {
  return { ...connection, acceptedAt: connection.acceptedAt - performance.timeOrigin };
}
