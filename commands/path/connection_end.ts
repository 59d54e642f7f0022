import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { errnoOf, kindOf } from "../../sockets/errno.ts";
import type { Stream } from "../../sockets/stream.ts";
import { Changes } from "./changes.ts";

/** How the input of a connection ended. */
export type Ending = "end of stream" | "reset" | "broken";

const FIRST_SIZE = 4_096;

/**
 * One end of a connection through the forwarder.
 *
 * It always reads, since only reading notices a reset. Received bytes wait here until they are
 * taken.
 */
export class ConnectionEnd implements Disposable {
  /** Which of the two ends it is. */
  readonly side: "client" | "server";
  readonly local: InternetEndpoint;
  readonly remote: InternetEndpoint;
  /** Notified when bytes arrive, and when the input ends. */
  readonly changes = new Changes();
  readonly #stream: Stream;
  #buffer = new Uint8Array(FIRST_SIZE);
  /** The received bytes not yet taken are between these in the buffer. */
  #start = 0;
  #stop = 0;
  #ending: Ending | undefined;
  /** Resolves once the input has ended, in any way. */
  readonly finished: Promise<void>;
  #sending: Promise<void> = Promise.resolve();
  #discards = false;

  constructor(stream: Stream, side: "client" | "server") {
    this.side = side;
    this.#stream = stream;
    this.local = stream.local as InternetEndpoint;
    this.remote = stream.remote as InternetEndpoint;
    this.finished = this.#readAll();
  }

  /** How the input ended; `undefined` while it is open. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Received bytes not yet taken. */
  get pending(): number {
    return this.#stop - this.#start;
  }

  /** Whether this end can send a reset. */
  get canReset(): boolean {
    return this.#stream.reset !== undefined;
  }

  /** Returns up to `count` of the received bytes without taking them. */
  peek(count: number): Uint8Array {
    return this.#buffer.subarray(this.#start, Math.min(this.#stop, this.#start + count));
  }

  /** Takes up to `count` of the received bytes. */
  take(count: number): Uint8Array {
    const bytes = this.peek(count).slice();
    this.#start += bytes.length;
    return bytes;
  }

  /**
   * Sends bytes after those already being sent. Resolves once the system has taken them.
   *
   * Never throws: if they can't be sent, the input ends too, and {@linkcode ending} says how.
   */
  send(bytes: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      let rest = bytes;
      while (rest.length > 0) rest = rest.subarray(await this.#stream.write(rest));
    });
  }

  /** Ends the sending side after the bytes being sent. Never throws. */
  end(): Promise<void> {
    return this.#inTurn(() => this.#stream.closeWrite());
  }

  /** Closes with a reset. */
  reset(): void {
    this.#stream.reset?.();
  }

  close(): void {
    this.#stream.close();
  }

  /** Drops what has been received, and all further input. */
  discard(): void {
    this.#discards = true;
    this.#start = this.#stop = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #inTurn(send: () => Promise<void>): Promise<void> {
    this.#sending = this.#sending.then(send).catch(() => {});
    return this.#sending;
  }

  async #readAll(): Promise<void> {
    try {
      while (true) {
        const count = await this.#stream.read(this.#space());
        if (count === null) break;
        if (!this.#discards) this.#stop += count;
        this.changes.notify();
      }
      this.#ending = "end of stream";
    } catch (error) {
      // A writer blocked when its peer resets gets EPIPE.
      const isReset = kindOf(error) === "RESET" || errnoOf(error) === "EPIPE";
      this.#ending = isReset ? "reset" : "broken";
    }
    this.changes.notify();
  }

  /** Returns room to read into: drops taken bytes when full, and grows the buffer if needed. */
  #space(): Uint8Array {
    if (this.#stop === this.#buffer.length) {
      const kept = this.#buffer.subarray(this.#start, this.#stop);
      const grown = new Uint8Array(Math.max(this.#buffer.length, 2 * kept.length));
      grown.set(kept);
      [this.#buffer, this.#start, this.#stop] = [grown, 0, kept.length];
    }
    return this.#buffer.subarray(this.#stop);
  }
}
