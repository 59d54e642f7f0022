import { Failure } from "./failure.ts";
import { LineBuffer } from "../protocol/line_buffer.ts";

/** Bytes that a line of input may have. */
const MAX_LINE = 1_048_576;

/** The lines of stdin, as they come. */
export class StdinLines {
  readonly #lines = new LineBuffer(MAX_LINE);
  #ended = false;

  /**
   * The lines that the next read brings, which may be none; `undefined` at the end.
   *
   * @throws {Failure} of kind `USAGE` for a line that is too long or not UTF-8.
   */
  async next(): Promise<readonly string[] | undefined> {
    if (this.#ended) return undefined;
    const count = await Deno.stdin.read(this.#lines.space());
    if (count === null) {
      this.#ended = true;
      return this.#lines.pending > 0 ? [text(this.#lines.takeRest())] : undefined;
    }
    const lines = this.#lines.take(count);
    if (this.#lines.tooLong) {
      throw new Failure("USAGE", `a line of input is longer than ${MAX_LINE} bytes`);
    }
    return lines.map(text);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    for (let lines = await this.next(); lines !== undefined; lines = await this.next()) {
      yield lines;
    }
  }
}

function text(line: string | null): string {
  if (line !== null) return line;
  throw new Failure("USAGE", "a line of input is not UTF-8 text");
}
