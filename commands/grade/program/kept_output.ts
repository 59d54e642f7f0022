import { pause, within } from "./waits.ts";

/** Bytes kept of the end of an output, for the last words. */
const TAIL = 4_096;

/** An output of a program: its beginning and its end are kept, the middle is discarded. */
export class KeptOutput {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limit: number;
  readonly #end: Promise<void>;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #tail = new Uint8Array();
  #changed = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>, limit: number) {
    this.#reader = stream.getReader();
    this.#limit = limit;
    this.#end = this.#readAll();
  }

  /** Number of bytes kept of its beginning. */
  get size(): number {
    return this.#size;
  }

  /** Its beginning as text. */
  get text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
  }

  /** Its last bytes as text; if none were discarded, those from offset `start` on. */
  tailFrom(start: number): string {
    if (this.#tail.length > 0) return new TextDecoder().decode(this.#tail);
    return new TextDecoder().decode(joined(this.#chunks).subarray(start));
  }

  /** Waits up to this many milliseconds for the text to pass the test; returns whether it did. */
  async shows(test: (text: string) => boolean, milliseconds: number): Promise<boolean> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#changed.resolve();
    }, milliseconds);
    const ended = this.#end.then(() => late = true);
    while (!test(this.text) && !late) await Promise.race([this.#changed.promise, ended]);
    clearTimeout(timer);
    return test(this.text);
  }

  /** Waits until it has ended, but no longer than this many milliseconds. */
  async drained(milliseconds: number): Promise<void> {
    await within(milliseconds, this.#end);
  }

  async close(): Promise<void> {
    await this.drained(50);
    await this.#reader.cancel().catch(() => {});
    await this.#end;
  }

  async #readAll(): Promise<void> {
    while (true) {
      const { value, done } = await this.#reader.read().catch(() => ({
        value: undefined,
        done: true,
      }));
      if (done || value === undefined) return;
      const room = this.#limit - this.#size;
      if (room > 0) {
        const part = value.subarray(0, room);
        this.#chunks.push(part);
        this.#size += part.length;
      } else {
        this.#tail = joined([this.#tail, value]).slice(-TAIL);
        // A program that prints endlessly must not keep netdemo from its work.
        await pause(1);
      }
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
