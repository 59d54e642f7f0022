import type { Socket } from "node:net";
import type { Endpoint } from "../protocol/addresses.ts";
import { freeBuffer } from "./free_buffer.ts";
import { withZone } from "./zone.ts";
import type { Ends, Stream } from "./stream.ts";

/** Bytes of input that may wait for a read before the peer is slowed down. */
const MAX_WAITING = 65_536;

/** Milliseconds of silence after which the kernel checks that the peer is still there. */
const KEEP_ALIVE_MS = 60_000;

/**
 * A socket of `node:net` that is read on demand.
 *
 * `node:net` drops buffered input when a connection fails. So the input is buffered here and
 * returned before the failure is reported, as the kernel does.
 */
export class NodeStream implements Stream {
  readonly local: Endpoint;
  readonly remote: Endpoint;

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

  /**
   * @param giveBack Called once it is closed.
   * @param ends Its ends, if the socket runs over another one and does not know them.
   */
  constructor(socket: Socket, giveBack: () => void, ends: Ends = {}) {
    this.#socket = socket;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const local = { hostname: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    const remote = { hostname: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    this.local = ends.local ?? withZone(local, local);
    this.remote = ends.remote ?? withZone(remote, local);
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
