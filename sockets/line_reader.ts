import type { LineBuffer } from "../protocol/line_buffer.ts";
import type { SilenceTimers } from "./silence_timers.ts";
import type { Stream } from "./stream.ts";

/** Takes the discarded input of all connections. */
const discarded = new Uint8Array(65_536);

/**
 * Reads a stream into lines. Silence ends the line of a classic peer, which sends no line ends.
 *
 * A read is never abandoned, which would lose bytes: one that is pending when silence ends a line
 * goes on, and is the next.
 */
export class LineReader {
  readonly lines: LineBuffer;
  readonly #stream: Stream;
  readonly #silence: SilenceTimers<LineReader>;
  #pending: Promise<number | null> | undefined;

  constructor(stream: Stream, lines: LineBuffer, silence: SilenceTimers<LineReader>) {
    this.#stream = stream;
    this.lines = lines;
    this.#silence = silence;
  }

  /**
   * Returns the number of bytes read, which are yet to be taken from the lines; 0 if silence came
   * first, so that the pending bytes are a line; `null` at the end of the stream.
   */
  read(): Promise<number | null> {
    if (this.lines.quietEndsLine) return this.#readOrSilence();
    const reading = this.#pending ?? this.#stream.read(this.lines.space());
    this.#pending = undefined;
    return reading;
  }

  /** What the next {@linkcode read} will return. May be left pending, and called again. */
  peek(): Promise<number | null> {
    if (this.#pending === undefined) {
      this.#pending = this.#stream.read(this.lines.space());
      // It may fail while nothing awaits it; what awaits it next gets the error.
      this.#pending.catch(() => {});
    }
    return this.#pending;
  }

  /** Reads and discards; returns whether there may be more. */
  async discard(): Promise<boolean> {
    const count = await (this.#pending ?? this.#stream.read(discarded));
    this.#pending = undefined;
    return count !== null;
  }

  /** Gives back its buffer, unless a read may still write to it. Must not be used afterwards. */
  close(): void {
    this.#silence.forget(this);
    if (this.#pending === undefined) this.lines.close();
  }

  async #readOrSilence(): Promise<number | null> {
    const reading = this.#pending ??= this.#stream.read(this.lines.space());
    const count = await Promise.race([reading, this.#silence.wait(this)]);
    if (count !== 0) this.#pending = undefined;
    this.#silence.forget(this);
    return count;
  }
}
