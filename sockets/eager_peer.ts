import { delay } from "@std/async/delay";
import type { Endpoint } from "../protocol/addresses.ts";
import { Changes, until } from "./changes.ts";
import { errnoOf, kindOf } from "./errno.ts";
import type { Stream } from "./stream.ts";
import { writeAll } from "./write_all.ts";

/** Bytes of the first buffer; it grows with what waits in it. */
const FIRST_SIZE = 4_096;
/** Bytes that may wait to be taken: reading pauses there. */
const MAX_WAITING = 16_777_216;

const encoder = new TextEncoder();

/** How the input of a connection ended: by its peer, by a failure, or because it was closed here. */
export type InputEnd = "end of stream" | "reset" | "failed" | "closed";

/**
 * The peer at the other end of a connection, which is read as bytes arrive: only reading notices
 * how the peer ends, and a connection that is closed with unread input is reset. What has arrived
 * is kept until it is taken.
 */
export class EagerPeer implements Disposable {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Notified when bytes arrive, when the input ends, and when a write fails. */
  readonly changes = new Changes();
  /** Resolves once the input has ended, in any way. Never rejects. */
  readonly finished: Promise<void>;
  readonly #stream: Stream;
  #buffer = new Uint8Array(FIRST_SIZE);
  /** The received bytes not yet taken lie between these in the buffer. */
  #start = 0;
  #stop = 0;
  #ending: InputEnd | undefined;
  #refusesInput = false;
  #isClosed = false;
  #discards = false;
  /** Notified when there is room for more bytes. */
  readonly #room = new Changes();
  #sending: Promise<void> = Promise.resolve();

  constructor(stream: Stream) {
    this.#stream = stream;
    this.local = stream.local;
    this.remote = stream.remote;
    this.finished = this.#readAll();
  }

  /** How the input ended; `undefined` while it is open. */
  get ending(): InputEnd | undefined {
    return this.#ending;
  }

  /** Whether a write has failed. */
  get refusesInput(): boolean {
    return this.#refusesInput;
  }

  /** Whether this end can send a reset. */
  get canReset(): boolean {
    return this.#stream.reset !== undefined;
  }

  /** Received bytes not yet taken. */
  get pending(): number {
    return this.#stop - this.#start;
  }

  /** Returns the received bytes, or the first of them, without taking them. Valid until more arrive. */
  peek(count = this.pending): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, Math.min(this.#stop, this.#start + count));
  }

  /** Takes the received bytes, or the first of them. */
  take(count = this.pending): Uint8Array<ArrayBuffer> {
    const bytes = this.peek(count).slice();
    this.#start += bytes.length;
    this.#room.notify();
    return bytes;
  }

  /** Drops what has been received, and all further input. */
  discard(): void {
    this.#discards = true;
    this.#start = this.#stop = 0;
    this.#room.notify();
  }

  /**
   * Sends text or bytes after those already being sent. Never throws: {@linkcode refusesInput} says
   * whether it failed.
   *
   * @param milliseconds The longest wait for the peer to take them. @default {no limit}
   */
  send(data: string | Uint8Array, milliseconds?: number): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    return this.#inTurn(() => writeAll(this.#stream, bytes), milliseconds);
  }

  /** Ends the sending side after what is being sent. Never throws. */
  closeWrite(milliseconds?: number): Promise<void> {
    return this.#inTurn(() => this.#stream.closeWrite(), milliseconds);
  }

  /**
   * Waits until a test of the received bytes holds.
   *
   * @param milliseconds The longest wait.
   * @returns whether it holds: `false` once the input has ended or the time is up without it.
   */
  async until(
    test: (received: Uint8Array<ArrayBuffer>) => boolean,
    milliseconds: number,
  ): Promise<boolean> {
    const holds = (): boolean => test(this.peek());
    await until(() => holds() || this.#ending !== undefined, [this.changes], milliseconds);
    return holds();
  }

  /** Waits until nothing has arrived for this many milliseconds, or the input has ended. */
  async untilSilent(milliseconds: number): Promise<void> {
    let seen: number;
    do seen = this.pending; while (await this.until(({ length }) => length > seen, milliseconds));
  }

  /** Waits until the input has ended; returns whether it has within this many milliseconds. */
  untilEnd(milliseconds: number): Promise<boolean> {
    return until(() => this.#ending !== undefined, [this.changes], milliseconds);
  }

  /** Closes with a reset, or without one if this runtime can't reset. */
  reset(): void {
    this.#isClosed = true;
    if (this.#stream.reset === undefined) this.#stream.close();
    else this.#stream.reset();
    this.#room.notify();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.close();
    this.#room.notify();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #inTurn(work: () => Promise<void>, milliseconds?: number): Promise<void> {
    const sent = this.#sending.then(work).catch(() => {
      this.#refusesInput = true;
      this.changes.notify();
    });
    this.#sending = sent;
    if (milliseconds === undefined) return await sent;
    const done = new AbortController();
    const limit = delay(milliseconds, done).catch(() => {});
    await Promise.race([sent, limit]);
    done.abort();
  }

  async #readAll(): Promise<void> {
    try {
      while (true) {
        while (this.pending >= MAX_WAITING && !this.#isClosed) await this.#room.next;
        const count = await this.#stream.read(this.#space());
        if (count === null) break;
        if (!this.#discards) this.#stop += count;
        this.changes.notify();
      }
      this.#ending = "end of stream";
    } catch (error) {
      this.#ending = this.#isClosed ? "closed" : endingOf(error);
    }
    this.changes.notify();
  }

  /** Returns room to read into: drops taken bytes when full, and grows the buffer if needed. */
  #space(): Uint8Array<ArrayBuffer> {
    if (this.#stop === this.#buffer.length) {
      const kept = this.peek();
      const grown = new Uint8Array(Math.max(FIRST_SIZE, 2 * kept.length));
      grown.set(kept);
      [this.#buffer, this.#start, this.#stop] = [grown, 0, kept.length];
    }
    return this.#buffer.subarray(this.#stop);
  }
}

/** A writer that is blocked when its peer resets gets EPIPE. */
function endingOf(error: unknown): InputEnd {
  return kindOf(error) === "RESET" || errnoOf(error) === "EPIPE" ? "reset" : "failed";
}
