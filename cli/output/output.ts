import { delay } from "@std/async/delay";
import { errnoOf, reasonOf } from "../../sockets/errno.ts";
import { Failure } from "../errors/failure.ts";

/** Most characters that may wait to be written. */
const MAX_WAITING = 1_048_576;

/**
 * Bytes written at a time: what a pipe takes whole or not at all (PIPE_BUF,
 * pipe(7)). With more, Deno does not report how much a full non-blocking pipe has
 * taken.
 */
const ATOMIC = 4_096;
/** Most periods that `close` waits for a slow reader. */
const MAX_WAITS = 10;
/** Milliseconds until a full pipe is tried again. */
const FULL_PIPE_MS = 5;

const encoder = new TextEncoder();

/** The destination of an {@linkcode Output}: `Deno.stdout`, `Deno.stderr`. */
export interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Queues lines for a stream whose reader may be slow, stalled or gone.
 *
 * Writing never blocks the event loop and never throws on its own: a server drops
 * and counts lines that don't fit or can't be written; a client waits for its
 * lines with {@linkcode flush}.
 */
export class Output {
  /** Lines that were not written. */
  dropped = 0;

  readonly #sink: Sink;
  readonly #name: string;
  #waiting: string[] = [];
  /** Bytes that the sink has taken. */
  #written = 0;
  #waitingSize = 0;
  #writing: Promise<void> | undefined;
  #error: unknown;
  /** Queues the lines that a caller holds back. */
  #drawHeld: (() => void) | undefined;

  /** @param name What messages call it. */
  constructor(sink: Sink, name = "stdout") {
    this.#sink = sink;
    this.#name = name;
  }

  /** Queues a line, or drops it if too much is already waiting. */
  line(text: string): void {
    if (this.#waitingSize > MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.text(`${text}\n`);
  }

  /** Queues text unchanged, however much is waiting. */
  text(text: string): void {
    this.#queueHeld();
    this.#waiting.push(text);
    this.#waitingSize += text.length;
    this.#writing ??= this.#writeAll();
  }

  /** Registers a function that queues held-back lines, called before any queueing or flushing. */
  onHeld(draw: () => void): void {
    this.#drawHeld = draw;
  }

  /**
   * Resolves once everything queued is written.
   *
   * @throws {Failure} of kind `ERROR` if anything could not be written since the last flush.
   * @throws {Deno.errors.BrokenPipe} if the reader is gone.
   */
  async flush(): Promise<void> {
    this.#queueHeld();
    while (this.#writing !== undefined) await this.#writing;
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) return;
    if (errnoOf(error) === "EPIPE") throw error;
    const hint = "nothing more was printed";
    throw new Failure("ERROR", `cannot write to ${this.#name}: ${reasonOf(error)}`, {
      cause: error,
      hint,
    });
  }

  /**
   * Waits for queued text while the reader keeps reading; not for a reader that
   * is stalled or gone.
   *
   * @param patience Milliseconds in which the reader must take something.
   */
  async close(patience: number): Promise<void> {
    const { promise: stalled, resolve } = Promise.withResolvers<void>();
    let written = this.#written;
    let waits = 0;
    const timer = setInterval(() => {
      if (this.#written === written || ++waits === MAX_WAITS) resolve();
      written = this.#written;
    }, patience);
    await Promise.race([this.flush().catch(() => {}), stalled]);
    clearInterval(timer);
  }

  #queueHeld(): void {
    const draw = this.#drawHeld;
    this.#drawHeld = undefined; // queueing must not call it again
    draw?.();
    this.#drawHeld = draw;
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // lines of the same turn are written together
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingSize = 0;
      try {
        await this.#write(encoder.encode(lines.join("")));
      } catch (error) {
        this.dropped += lines.length;
        this.#error = error;
      }
    }
    this.#writing = undefined;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    while (bytes.length > 0) {
      try {
        const count = await this.#sink.write(bytes.subarray(0, ATOMIC));
        this.#written += count;
        bytes = bytes.subarray(count);
      } catch (error) {
        // Another program made the pipe non-blocking, and its reader is slow.
        if (errnoOf(error) !== "EAGAIN") throw error;
        await delay(FULL_PIPE_MS);
      }
    }
  }
}
