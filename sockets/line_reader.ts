import { endsTyping, type LineBuffer } from "../protocol/line_buffer.ts";
import type { SilenceTimers } from "./silence_timers.ts";
import type { Stream } from "./stream.ts";

/** How long to wait for what is typed a key at a time. */
export interface Typing {
  readonly timers: SilenceTimers<LineReader>;
  /** Whether a text may be all that its peer wants to send. */
  readonly isWhole: (text: string) => boolean;
}

/** Takes the discarded input of all connections. */
const discarded = new Uint8Array(65_536);

/**
 * Reads a stream into lines. Silence ends the line of a classic peer, which sends no line ends.
 *
 * A read is never abandoned, which would lose bytes: one that is pending when silence ends a line
 * goes on, and is the next.
 *
 * A single byte that comes first was typed, by a person or through a serial line: then silence must
 * last longer, until what has come is whole, or ends as a terminal's line does.
 */
export class LineReader {
  readonly lines: LineBuffer;
  readonly #stream: Stream;
  readonly #silence: SilenceTimers<LineReader>;
  readonly #typing: Typing | undefined;
  #isTyped = false;
  #pending: Promise<number | null> | undefined;

  /** @param typing @default {text that is typed is not waited for} */
  constructor(
    stream: Stream,
    lines: LineBuffer,
    silence: SilenceTimers<LineReader>,
    typing?: Typing,
  ) {
    this.#stream = stream;
    this.lines = lines;
    this.#silence = silence;
    this.#typing = typing;
  }

  /**
   * Returns the number of bytes read, which wait in the lines to be taken; 0 if silence came first,
   * so that the pending bytes are a line; `null` at the end of the stream.
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
    this.#typing?.timers.forget(this);
    if (this.#pending === undefined) this.lines.close();
  }

  async #readOrSilence(): Promise<number | null> {
    const reading = this.#pending ??= this.#stream.read(this.lines.space());
    const timers = this.#timers();
    const count = await Promise.race([reading, timers.wait(this)]);
    if (count === 0) this.#isTyped = false;
    else this.#pending = undefined;
    timers.forget(this);
    return count;
  }

  #timers(): SilenceTimers<LineReader> {
    if (this.#typing === undefined) return this.#silence;
    if (this.lines.pending === 1) this.#isTyped = true;
    const { rest } = this.lines;
    const isWhole = !this.#isTyped || endsTyping(rest) ||
      (rest !== null && this.#typing.isWhole(rest));
    return isWhole ? this.#silence : this.#typing.timers;
  }
}
