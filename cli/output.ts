import { errnoOf } from "../sockets/errno.ts";

/** Characters that may wait to be written. */
const MAX_WAITING = 1_048_576;

/**
 * Bytes that are written at a time: what a pipe takes whole or not at all
 * (PIPE_BUF, pipe(7)). Of more, Deno does not say how much a non-blocking pipe
 * that had run full has taken.
 */
const ATOMIC = 4_096;
/** How often the end waits for a reader that is slow, but reads. */
const MAX_WAITS = 10;
/** Milliseconds until a pipe that was full is tried again. */
const FULL_PIPE_MS = 5;

const encoder = new TextEncoder();

/** What an {@linkcode Output} writes to: `Deno.stdout`, `Deno.stderr`. */
export interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Lines on their way to a stream whose reader may be slow, stalled or gone.
 *
 * Writing never blocks the event loop and never throws on its own: a server
 * drops the lines that find no room or can't be written, and counts them; a
 * client waits for its lines with {@linkcode flush}.
 */
export class Output {
  /** Lines that were not written. */
  dropped = 0;

  readonly #sink: Sink;
  #waiting: string[] = [];
  /** Bytes that the stream has taken. */
  #written = 0;
  #waitingSize = 0;
  #writing: Promise<void> | undefined;
  #error: unknown;
  /** What puts into lines what it has held back. */
  #drawHeld: (() => void) | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Queues a line, or drops it if too much is waiting already. */
  line(text: string): void {
    if (this.#waitingSize > MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.text(`${text}\n`);
  }

  /** Queues text as it stands, however much is waiting. */
  text(text: string): void {
    this.#queueHeld();
    this.#waiting.push(text);
    this.#waitingSize += text.length;
    this.#writing ??= this.#writeAll();
  }

  /** Takes what queues the lines that somebody holds back: it is called before anything else is queued or flushed. */
  onHeld(draw: () => void): void {
    this.#drawHeld = draw;
  }

  /**
   * Resolves once all that was queued is written.
   *
   * @throws what the stream threw if something could not be written since the last flush.
   */
  async flush(): Promise<void> {
    this.#queueHeld();
    while (this.#writing !== undefined) await this.#writing;
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }

  /**
   * Waits for what is queued, for as long as its reader takes some of it; not
   * for a stalled reader, and not for one that is gone.
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
    this.#drawHeld = undefined; // what it queues holds nothing back
    draw?.();
    this.#drawHeld = draw;
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // lines of the same turn go out in one write
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
        // Another program has made the pipe non-blocking, and its reader is slow.
        if (errnoOf(error) !== "EAGAIN") throw error;
        await new Promise((resolve) => setTimeout(resolve, FULL_PIPE_MS));
      }
    }
  }
}
