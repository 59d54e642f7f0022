import { delay } from "@std/async/delay";
import { concat } from "@std/bytes/concat";
import { Changes, until } from "../../../sockets/changes.ts";

/** Bytes kept of the end of an output, for the last words. */
const TAIL = 4_096;

/** An output of a program: its beginning and its end are kept, the middle is discarded. */
export class KeptOutput {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limit: number;
  readonly #end: Promise<void>;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  /** Bytes that were printed, kept or not. */
  total = 0;
  #tail = new Uint8Array();
  #hasEnded = false;
  readonly #changes = new Changes();

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
    return new TextDecoder().decode(concat(this.#chunks).subarray(start));
  }

  /** Waits up to this many milliseconds for the text to pass the test; returns whether it did. */
  async shows(test: (text: string) => boolean, milliseconds: number): Promise<boolean> {
    await until(() => this.#hasEnded || test(this.text), [this.#changes], milliseconds);
    return test(this.text);
  }

  /** Waits until it has ended, but no longer than this many milliseconds. */
  async drained(milliseconds: number): Promise<void> {
    await until(() => this.#hasEnded, [this.#changes], milliseconds);
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
      if (done || value === undefined) break;
      this.total += value.length;
      const room = this.#limit - this.#size;
      if (room > 0) {
        const part = value.subarray(0, room);
        this.#chunks.push(part);
        this.#size += part.length;
      } else {
        this.#tail = concat([this.#tail, value]).slice(-TAIL);
        // A program that prints endlessly must not keep netdemo from its work.
        await delay(1);
      }
      this.#changes.notify();
    }
    this.#hasEnded = true;
    this.#changes.notify();
  }
}
