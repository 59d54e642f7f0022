import { reasonOf } from "../../sockets/errno.ts";
import { Failure, misuse } from "../errors/failure.ts";
import { type Line, LineBuffer } from "../../protocol/line_buffer.ts";
import { readingUtf8 } from "../../text/encoding.ts";

/** Most bytes in a line of input. */
const MAX_LINE = 1_048_576;

/** The lines of stdin, in UTF-8 or UTF-16, as they arrive. */
export class StdinLines {
  readonly #lines = new LineBuffer(MAX_LINE);
  readonly #readUtf8 = readingUtf8((buffer) => Deno.stdin.read(buffer));
  #ended = false;
  /** The failure of a bad line, reported once the lines before it are taken. */
  #failure: Failure | undefined;

  /**
   * Returns the lines of the next read, which may be none; `undefined` at the end.
   *
   * @throws {Failure} of kind `USAGE` for a line that is too long or not text,
   * after the lines before it; of kind `ERROR` if stdin can't be read.
   */
  async next(): Promise<readonly string[] | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return undefined;
    const count = await this.#read();
    if (count === null) {
      this.#ended = true;
      return this.#texts(this.#lines.takeRest().lines);
    }
    const lines = this.#lines.take(count);
    if (this.#lines.tooLong) {
      this.#failure = misuse(`a line of input is longer than ${MAX_LINE} bytes`);
    }
    return this.#texts(lines);
  }

  async #read(): Promise<number | null> {
    try {
      return await this.#readUtf8(this.#lines.space());
    } catch (cause) {
      const hint = "give it text from a pipe, a file or the terminal";
      throw new Failure("ERROR", `cannot read stdin: ${reasonOf(cause)}`, { cause, hint });
    }
  }

  /** The lines up to the first that is not UTF-8, without those that a server ignores. */
  #texts(lines: readonly Line[]): readonly string[] {
    const bad = lines.indexOf(null);
    if (bad !== -1) this.#failure = misuse("a line of input is not UTF-8 text");
    const texts = bad === -1 ? lines : lines.slice(0, bad);
    return texts.filter((line) => line !== null && !isPassedOver(line)) as readonly string[];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    for (let lines = await this.next(); lines !== undefined; lines = await this.next()) {
      yield lines;
    }
  }
}

/** Whether the line is empty to a server, which drops a CR before the line end (see LineBuffer). */
function isPassedOver(line: string): boolean {
  return line === "" || line === "\r";
}
