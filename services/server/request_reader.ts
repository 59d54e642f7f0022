import { LineBuffer } from "../../protocol/line_buffer.ts";
import type { SilenceTimers } from "../../sockets/silence_timers.ts";
import type { Stream } from "../../sockets/stream.ts";
import type { ConnectionContext } from "./connection_context.ts";

/** Takes the discarded input of all connections. */
const discarded = new Uint8Array(65_536);

/** Reads a stream into lines. Silence ends the request of a classic client, which sends no line ends. */
export class RequestReader {
  readonly lines: LineBuffer;
  readonly #stream: Stream;
  readonly #quiet: SilenceTimers<RequestReader>;
  /** A read that is still pending after silence ended a request. */
  #pending: Promise<number | null> | undefined;

  constructor(stream: Stream, { maxRequest, requestBuffers, quiet }: ConnectionContext) {
    this.lines = new LineBuffer(maxRequest, requestBuffers);
    this.#stream = stream;
    this.#quiet = quiet;
  }

  /** Returns the number of bytes read; 0 if silence came first; `null` at the end of the stream. */
  read(): Promise<number | null> {
    if (this.lines.quietEndsLine) return this.#readOrQuiet();
    const reading = this.#pending ?? this.#stream.read(this.lines.space());
    this.#pending = undefined;
    return reading;
  }

  /** Reads and discards; returns whether there may be more. */
  async discard(): Promise<boolean> {
    const count = await (this.#pending ?? this.#stream.read(discarded));
    this.#pending = undefined;
    return count !== null;
  }

  /** Gives back its buffer, unless a read may still write to it. Must not be used afterwards. */
  close(): void {
    this.#quiet.forget(this);
    if (this.#pending === undefined) this.lines.close();
  }

  async #readOrQuiet(): Promise<number | null> {
    const reading = this.#pending ??= this.#stream.read(this.lines.space());
    const count = await Promise.race([reading, this.#quiet.wait(this)]);
    if (count !== 0) this.#pending = undefined;
    this.#quiet.forget(this);
    return count;
  }
}
