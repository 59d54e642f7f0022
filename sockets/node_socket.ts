import type { Server, Socket } from "node:net";
import type { InternetEndpoint } from "../protocol/addresses.ts";
import { descriptors } from "./descriptors.ts";
import { BACKLOG } from "./listen.ts";
import { freeBuffer } from "./free_buffer.ts";
import { withZone } from "./zone.ts";
import type { Stream, StreamListener } from "./stream.ts";

/** Bytes of input that may wait for a read before the peer is slowed down. */
const MAX_WAITING = 65_536;

/** Milliseconds of silence after which the kernel checks that the peer is still there. */
const KEEP_ALIVE_MS = 60_000;

/** Milliseconds between two reminders to accept. */
const REMIND_MS = 1_000;
/**
 * Milliseconds between two looks while there is little room: in 5 all is opened that an accepted
 * connection needs. Twice as many after each that found nothing.
 */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 100;

type Accepted = { readonly stream: Stream } | { readonly error: Error };

/** What a `node:net` server has of its own under the name `_handle`. */
interface ListenHandle {
  /** Called for each connection; accepts it. */
  onconnection(status: number): void;
  /** Once it listens, only makes it look for connections. */
  listen(backlog: number): number;
}

/**
 * Accepts connections as they arrive; callers of `accept` get them in order.
 *
 * Without descriptors, `node:net` would stop accepting for good, silently (Deno 2.9.6). So it is
 * told to accept no more than there is room for: while one connection is left alone, the runtime
 * accepts no others, and the kernel's queue holds them. Of a burst that it has accepted by then, as
 * many are reset as descriptors are missing.
 */
export class NodeListener implements StreamListener {
  readonly #server: Server;
  readonly #weight: number;
  readonly #closing = new AbortController();
  #handle: ListenHandle | undefined;
  #reminder: ReturnType<typeof setInterval> | undefined;
  /** Whether it waits for room. */
  #isWaiting = false;
  #looking: ReturnType<typeof setTimeout> | undefined;
  #pause = MIN_PAUSE_MS;
  /** Whether the runtime may find no descriptor, and then accept no more. */
  #isTight = false;
  /** Connections accepted since it last looked. */
  #fresh = 0;
  /** How many of those that have no room are to be reset; `undefined` before the first one. */
  #surplus: number | undefined;
  #turnsAway = false;
  /** Frees the descriptors that were kept from the runtime. */
  #release: (() => void) | undefined;
  readonly #waiting: Accepted[] = [];
  #accepting: PromiseWithResolvers<Stream> | undefined;
  #closed = false;

  /** @param weight Descriptors that each connection will take, its own included. */
  constructor(server: Server, weight: number) {
    this.#server = server;
    this.#weight = weight;
    server.on("connection", (socket) => {
      // Reset before it was accepted: it no longer has a peer.
      if (socket.remoteAddress === undefined) socket.destroy();
      else if (this.#turnsAway) this.#turnAway(socket);
      else this.#add({ stream: new NodeStream(socket, descriptors.take(weight)) });
    });
    server.on("error", (error) => this.#add({ error }));
  }

  get addr(): InternetEndpoint {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Deno.errors.BadResource();
    return { hostname: address.address, port: address.port };
  }

  /** Call once it listens: from now on it accepts only what there is room for. */
  limit(): void {
    const handle = (this.#server as unknown as { readonly _handle: ListenHandle })._handle;
    const accept = handle.onconnection;
    this.#handle = handle;
    handle.onconnection = (status) => {
      this.#release?.();
      this.#pause = MIN_PAUSE_MS;
      const hasRoom = descriptors.hasRoom();
      if (hasRoom) this.#fresh++;
      else this.#surplus ??= descriptors.shortage(this.#fresh * (this.#weight - 1));
      this.#turnsAway = !hasRoom;
      this.#lookLater();
      if (hasRoom || (this.#surplus ?? 0) > 0) accept.call(handle, status);
    };
    // If it ran out of descriptors all the same, it only needs to look again.
    this.#reminder = setInterval(() => this.#lookAgain(), REMIND_MS);
  }

  /** @throws {Deno.errors.BadResource} once it is closed. */
  accept(): Promise<Stream> {
    if (this.#closed) return Promise.reject(new Deno.errors.BadResource("Listener is closed"));
    if (this.#accepting !== undefined) return Promise.reject(new Deno.errors.Busy());
    const next = this.#waiting.shift();
    if (next !== undefined) {
      return "error" in next ? Promise.reject(next.error) : Promise.resolve(next.stream);
    }
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  /** Also closes the connections that no caller has accepted. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.abort();
    clearInterval(this.#reminder);
    clearTimeout(this.#looking);
    this.#server.close();
    for (const next of this.#waiting) {
      if ("stream" in next) next.stream.close();
    }
    this.#accepting?.reject(new Deno.errors.BadResource("Listener is closed"));
  }

  #turnAway(socket: Socket): void {
    this.#surplus = (this.#surplus ?? 1) - 1;
    socket.resetAndDestroy();
  }

  async #untilRoom(): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await descriptors.untilRoom(this.#closing.signal);
    this.#isWaiting = false;
    this.#lookAgain();
  }

  /**
   * Has the runtime accept: those that were left alone, or else all that wait in the kernel's
   * queue, at once. While there is little room, it finds no more descriptors than that.
   */
  #lookAgain(): void {
    this.#looking = this.#surplus = undefined;
    this.#fresh = 0;
    if (this.#closed) return;
    if (!descriptors.hasRoom()) return void this.#untilRoom();
    this.#isTight = descriptors.isFull || descriptors.shortage(0) > 0;
    if (this.#isTight) {
      this.#release?.();
      const release = this.#release = descriptors.leaveRoomFor(this.#weight);
      setImmediate(() =>
        setImmediate(() => {
          release(); // nobody waits, or what was closed is not free yet
          this.#lookLater();
        })
      );
      this.#pause = Math.min(this.#pause * 2, MAX_PAUSE_MS);
    }
    this.#handle?.listen(BACKLOG);
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#looking ??= setTimeout(() => this.#lookAgain(), this.#isTight ? this.#pause : 0);
  }

  #add(next: Accepted): void {
    if (this.#closed) {
      if ("stream" in next) next.stream.close();
      return;
    }
    const accepting = this.#accepting;
    this.#accepting = undefined;
    if (accepting === undefined) this.#waiting.push(next);
    else if ("error" in next) accepting.reject(next.error);
    else accepting.resolve(next.stream);
  }
}

/**
 * A socket of `node:net` that is read on demand.
 *
 * `node:net` drops buffered input when a connection fails. So the input is buffered here and
 * returned before the failure is reported, as the kernel does.
 */
export class NodeStream implements Stream {
  readonly local: InternetEndpoint;
  readonly remote: InternetEndpoint;

  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that have been read. */
  #given = 0;
  /** Bytes in the chunks. */
  #waiting = 0;
  /** How the input ended: `null` for an ordinary end. */
  #ended: Error | null | undefined;
  #closed = false;
  #reading: PromiseWithResolvers<void> | undefined;

  /** @param giveBack Called once it is closed. */
  constructor(socket: Socket, giveBack: () => void) {
    this.#socket = socket;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const local = { hostname: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    const remote = { hostname: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    this.local = withZone(local, local);
    this.remote = withZone(remote, local);
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.pause();
    socket.on("end", () => this.#end(null));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => {
      giveBack();
      this.#end(null);
    });
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

  reset(): void {
    this.#close(() => this.#socket.resetAndDestroy());
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

  /** The first error counts: `close` follows it. */
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

  /** Copies as much of the waiting input as fits in the buffer. */
  #give(buffer: Uint8Array): number {
    let given = 0;
    while (given < buffer.length) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) break;
      const part = chunk.subarray(this.#given, this.#given + buffer.length - given);
      buffer.set(part, given);
      given += part.length;
      this.#given += part.length;
      if (this.#given < chunk.length) break;
      this.#given = 0;
      this.#chunks.shift();
      // node:net allocates a new buffer for each read: 64 bulk streams held 238 MB instead of 80.
      freeBuffer(chunk);
    }
    this.#waiting -= given;
    return given;
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The stream is closed");
}
