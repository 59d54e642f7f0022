import type { Stream } from "../../sockets/stream.ts";
import { within } from "./waits.ts";

/** Most bytes kept from a peer: if it sends more, reading stops. */
const MAX_RECEIVED = 4 * 1024 * 1024;

const LF = 0x0a;

const encoder = new TextEncoder();

/** How the other side ended a connection. */
export type PeerEnd = "closed" | "reset";

/**
 * A connection to the examined program, read as bytes arrive, so that the end of
 * the connection is noticed at once and nothing is left unread when it closes.
 */
export class Conversation implements Disposable {
  /** How the other side ended it, if it did. */
  end: PeerEnd | undefined;
  /** Whether a write has failed. */
  refusesInput = false;

  readonly #stream: Stream;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #bytes: Uint8Array | undefined;
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    void this.#readAll();
  }

  /** The port of the other side. */
  get remotePort(): number {
    const { remote } = this.#stream;
    return "port" in remote ? remote.port : 0;
  }

  /** All bytes received since {@linkcode forget}. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) {
      const bytes = new Uint8Array(this.#size);
      let offset = 0;
      for (const chunk of this.#chunks) {
        bytes.set(chunk, offset);
        offset += chunk.length;
      }
      this.#bytes = bytes;
      this.#chunks.splice(0, this.#chunks.length, bytes);
    }
    return this.#bytes;
  }

  /** Discards the bytes received so far: they belong to an earlier request. */
  forget(): void {
    this.#chunks.length = 0;
    this.#size = 0;
    this.#bytes = undefined;
  }

  /** Sends the data, or as much as the other side accepts within this many milliseconds. */
  async send(data: string | Uint8Array, milliseconds: number): Promise<void> {
    await within(milliseconds, this.#send(typeof data === "string" ? encoder.encode(data) : data));
  }

  /** Ends the sending side. */
  async closeWrite(): Promise<void> {
    await within(1_000, this.#stream.closeWrite().catch(() => {}));
  }

  /** Waits until the test holds (returns `true`), the other side ends, or the time is up. */
  async until(test: (bytes: Uint8Array) => boolean, milliseconds: number): Promise<boolean> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, milliseconds);
    try {
      while (true) {
        if (test(this.bytes)) return true;
        if (late || this.end !== undefined || this.#isClosed) return false;
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for a line end, the other side's end, or so many milliseconds without a byte. */
  async untilQuiet(milliseconds: number): Promise<void> {
    const isWhole = (bytes: Uint8Array): boolean => bytes.at(-1) === LF;
    for (let size = -1; size !== this.bytes.length;) {
      size = this.bytes.length;
      await this.until((bytes) => isWhole(bytes) || bytes.length > size, milliseconds);
      if (isWhole(this.bytes)) return;
    }
  }

  /** Waits up to this many milliseconds for the other side to end; returns whether it did. */
  async untilEnd(milliseconds: number): Promise<boolean> {
    await this.until(() => this.end !== undefined, milliseconds);
    return this.end !== undefined;
  }

  /** Closes with a TCP reset. */
  reset(): void {
    this.#isClosed = true;
    if (this.#stream.reset !== undefined) this.#stream.reset();
    else this.#stream.close();
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.close();
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await this.#stream.write(bytes));
    } catch {
      this.refusesInput = true;
    }
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      while (this.#size < MAX_RECEIVED) {
        const count = await this.#stream.read(buffer);
        if (count === null) {
          this.end = "closed";
          break;
        }
        this.#chunks.push(buffer.slice(0, count));
        this.#size += count;
        this.#bytes = undefined;
        this.#wake();
      }
    } catch {
      if (!this.#isClosed) this.end = "reset";
    }
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
