import { createConnection, createServer, type Server, Socket } from "node:net";
import { type InternetEndpoint, isSameEndpoint } from "../protocol/addresses.ts";
import { SocketFailure } from "./failure.ts";
import { isMissingAddress, PORT_TRIES } from "./listen.ts";
import type { Stream, StreamListener } from "./stream.ts";

/** Whether this runtime can reset a connection. */
export const canReset = "resetAndDestroy" in Socket.prototype;

/** Connections that the kernel keeps until they are accepted. */
const BACKLOG = 4_096;

/** Bytes of input that may wait for a read before the peer is slowed. */
const MAX_WAITING = 131_072;

/** Whom to connect to. */
export interface DialResettableOptions extends InternetEndpoint {
  /** Ends the attempt; its reason is then what is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects over TCP; the connection can be reset.
 *
 * @throws {Error} with the errno name as its `code`; the signal's reason if that came first.
 */
export function dialResettable(options: DialResettableOptions): Promise<Stream> {
  const { hostname, port, signal } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<Stream>();
  // One address is tried: several are the caller's to choose among.
  const socket = createConnection({
    host: hostname,
    port,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: false,
  });
  const abort = (): void => {
    socket.destroy();
    reject(signal?.reason);
  };
  const fail = (error: Error): void => reject(error);
  signal?.addEventListener("abort", abort, { once: true });
  socket.once("error", fail);
  socket.once("connect", () => {
    const stream = new NodeStream(socket);
    socket.off("error", fail);
    // A free port of the range for clients can be given to the client itself.
    if (!isSameEndpoint(stream.local, stream.remote)) return resolve(stream);
    stream.close();
    reject(
      Object.assign(new Error("connected to itself: nobody listens"), { code: "ECONNREFUSED" }),
    );
  });
  return promise.finally(() => signal?.removeEventListener("abort", abort));
}

/**
 * Listens for TCP connections that can be reset.
 *
 * Connections are accepted as they come, without waiting for `accept()`, and are not read until
 * they are asked to. Whoever runs out of descriptors is never accepted again and gets no error
 * (Deno 2.9.6): limit the connections that are held at a time.
 *
 * @param endpoint An IP address of this host and a port; 0 takes any free one.
 * @throws {Error} with the errno name as its `code`.
 */
export async function listenResettable(endpoint: InternetEndpoint): Promise<StreamListener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  const listener = new NodeListener(server);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("listening", resolve);
  server.once("error", reject);
  server.listen({ host: endpoint.hostname, port: endpoint.port, backlog: BACKLOG });
  try {
    await promise;
  } catch (error) {
    throw bindErrorOf(endpoint) ?? error;
  }
  server.off("error", reject);
  return listener;
}

/** Why Deno can't listen there: `node:net` says EINVAL where this host has no such address. */
function bindErrorOf({ hostname, port }: InternetEndpoint): unknown {
  try {
    Deno.listen({ hostname, port }).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * Listens on those of the addresses that this host has, all on the same port.
 *
 * @param port 0 takes one that is free on all of them.
 * @throws {SocketFailure} of kind `BIND` if one can't be listened on, or if the host has none of them.
 */
export async function listenResettableOnAll(
  addresses: readonly string[],
  port: number,
): Promise<StreamListener[]> {
  for (let tries = 1;; tries++) {
    const listeners: StreamListener[] = [];
    let missing: SocketFailure | undefined;
    try {
      for (const hostname of addresses) {
        const endpoint = { hostname, port: portOf(listeners[0]) ?? port };
        try {
          listeners.push(await listenResettable(endpoint));
        } catch (cause) {
          const failure = new SocketFailure("BIND", { phase: "listen", endpoint }, cause);
          if (!isMissingAddress(cause)) throw failure;
          missing ??= failure;
        }
      }
      if (listeners.length > 0) return listeners;
      throw missing;
    } catch (error) {
      for (const listener of listeners) listener.close();
      const chosenHere = port === 0 && listeners.length > 0;
      if (!chosenHere || tries === PORT_TRIES) throw error;
    }
  }
}

function portOf(listener: StreamListener | undefined): number | undefined {
  return listener !== undefined && "port" in listener.addr ? listener.addr.port : undefined;
}

type Accepted = { readonly stream: Stream } | { readonly error: Error };

/** Accepts as connections come; who asks gets them in their order. */
class NodeListener implements StreamListener {
  readonly #server: Server;
  readonly #waiting: Accepted[] = [];
  #asking: PromiseWithResolvers<Stream> | undefined;
  #closed = false;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      // Reset before it was accepted: there is no peer any more.
      if (socket.remoteAddress === undefined) socket.destroy();
      else this.#add({ stream: new NodeStream(socket) });
    });
    server.on("error", (error) => this.#add({ error }));
  }

  get addr(): InternetEndpoint {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Deno.errors.BadResource();
    return { hostname: address.address, port: address.port };
  }

  /** @throws {Deno.errors.BadResource} once it is closed. */
  accept(): Promise<Stream> {
    if (this.#closed) return Promise.reject(new Deno.errors.BadResource("Listener is closed"));
    if (this.#asking !== undefined) return Promise.reject(new Deno.errors.Busy());
    const next = this.#waiting.shift();
    if (next !== undefined) {
      return "error" in next ? Promise.reject(next.error) : Promise.resolve(next.stream);
    }
    this.#asking = Promise.withResolvers();
    return this.#asking.promise;
  }

  /** Connections that nobody asked for are closed with it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const next of this.#waiting) {
      if ("stream" in next) next.stream.close();
    }
    this.#asking?.reject(new Deno.errors.BadResource("Listener is closed"));
  }

  #add(next: Accepted): void {
    if (this.#closed) {
      if ("stream" in next) next.stream.close();
      return;
    }
    const asking = this.#asking;
    this.#asking = undefined;
    if (asking === undefined) this.#waiting.push(next);
    else if ("error" in next) asking.reject(next.error);
    else asking.resolve(next.stream);
  }
}

/**
 * A socket of `node:net` that is read when somebody asks, not when something comes.
 *
 * `node:net` drops what it holds when a connection fails. What has arrived is therefore kept
 * here, and given out before the failure is, as the kernel does.
 */
class NodeStream implements Stream {
  readonly local: InternetEndpoint;
  readonly remote: InternetEndpoint;
  readonly reset: (() => void) | undefined;

  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  /** Bytes in the chunks. */
  #waiting = 0;
  /** How the input ended: `null` for an ordinary end. */
  #ended: Error | null | undefined;
  #closed = false;
  #reading: PromiseWithResolvers<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = { hostname: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    this.remote = { hostname: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    if (canReset) this.reset = () => this.#close(() => socket.resetAndDestroy());
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.pause();
    socket.on("end", () => this.#end(null));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(null));
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed) throw closedError();
    if (this.#reading !== undefined) throw new Deno.errors.Busy("Another read is pending");
    if (buffer.length === 0) return 0;
    if (this.#waiting === 0 && this.#ended === undefined) await this.#more();
    if (this.#closed) throw new Deno.errors.Interrupted("The stream was closed");
    if (this.#waiting > 0) return this.#give(buffer);
    if (this.#ended) throw this.#ended;
    return null;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#closed) throw closedError();
    const failure = await new Promise<Error | null | undefined>((resolve) => {
      this.#socket.write(bytes, resolve);
    });
    if (this.#closed) throw new Deno.errors.Interrupted("The stream was closed");
    if (failure) throw this.#socket.errored ?? failure;
    return bytes.length;
  }

  async closeWrite(): Promise<void> {
    if (this.#closed) throw closedError();
    const failure = await new Promise<Error | null | undefined>((resolve) => {
      this.#socket.end(resolve as () => void);
    });
    if (this.#closed) throw new Deno.errors.Interrupted("The stream was closed");
    if (failure) throw this.#socket.errored ?? failure;
  }

  close(): void {
    this.#close(() => this.#socket.destroy());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #close(close: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks.length = 0;
    close();
    this.#wake();
  }

  #take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting >= MAX_WAITING) this.#socket.pause();
    this.#wake();
  }

  /** The first end counts: an error is followed by `close`. */
  #end(how: Error | null): void {
    if (this.#ended === undefined || this.#ended === null) this.#ended = how;
    this.#wake();
  }

  #more(): Promise<void> {
    this.#reading = Promise.withResolvers();
    this.#socket.resume();
    return this.#reading.promise;
  }

  #wake(): void {
    const reading = this.#reading;
    this.#reading = undefined;
    reading?.resolve();
  }

  /** Copies as much as there is and the buffer holds. */
  #give(buffer: Uint8Array): number {
    let given = 0;
    while (given < buffer.length) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) break;
      const part = chunk.subarray(0, buffer.length - given);
      buffer.set(part, given);
      given += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#waiting -= given;
    return given;
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The stream is closed");
}
