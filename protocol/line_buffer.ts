import { decodeUtf8 } from "./utf8.ts";

const LF = 0x0a;
const CR = 0x0d;

/** Bytes that a buffer starts with: an idle connection costs little more. */
const INITIAL_SIZE = 1_024;
/** Bytes that a buffer may grow to even if lines are shorter, to take a pipeline in one read. */
const PIPELINE_SIZE = 16_384;

/** Bytes that a message without a line end may have, as much as the classic peer's `recv(1024)`. */
const MAX_UNFRAMED = 1_024;
/** Milliseconds of silence after which a message without a line end is taken as whole. */
export const QUIET_MS = 200;

/** A line without its end, or `null` for one that is not UTF-8. */
export type Line = string | null;

/**
 * Turns the bytes of a stream into lines, however the stream was cut.
 *
 * A line ends in LF; a CR before it is dropped; empty lines are passed over.
 * Bytes are read straight into the buffer: ask for {@linkcode space}, read into
 * it, and tell {@linkcode take} how many came.
 */
export class LineBuffer {
  readonly #maxLine: number;
  #bytes = new Uint8Array(INITIAL_SIZE);
  /** Where the bytes that are no whole line yet begin and end. */
  #start = 0;
  #end = 0;
  #wasFilled = false;
  #framed = false;
  #tooLong = false;

  /** @param maxLine Bytes that a line may have without its end. */
  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /** Whether an LF has come. From then on only LF or the end of the stream ends a line. */
  get framed(): boolean {
    return this.#framed;
  }

  /** Bytes of a line whose end has not come. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Whether what is pending is a whole line if nothing follows it for {@linkcode QUIET_MS}. */
  get quietEndsLine(): boolean {
    return !this.#framed && this.pending > 0 && this.pending <= MAX_UNFRAMED;
  }

  /** Whether the last read filled the {@linkcode space}, so that more is likely waiting. */
  get filled(): boolean {
    return this.#wasFilled;
  }

  /** Whether a line longer than the maximum has come. Nothing after it is kept. */
  get tooLong(): boolean {
    return this.#tooLong;
  }

  /** Where the next read puts its bytes: at least one byte, until a line is too long. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#start > 0) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#wasFilled || this.#end === this.#bytes.length) this.#grow();
    return this.#end === 0 ? this.#bytes : this.#bytes.subarray(this.#end);
  }

  /** Takes the `count` bytes that were read into {@linkcode space}; gives the lines that they end. */
  take(count: number): Line[] {
    const from = this.#end;
    this.#end += count;
    this.#wasFilled = this.#end === this.#bytes.length;
    let lastEnd = this.#end - 1;
    while (lastEnd >= from && this.#bytes[lastEnd] !== LF) lastEnd--;
    let lines: Line[] = [];
    if (lastEnd >= from) {
      this.#framed = true;
      lines = this.#lines(this.#start, lastEnd + 1);
      this.#start = lastEnd + 1;
    }
    if (this.#isTooLong(this.#start, this.#end)) this.#tooLong = true;
    return lines;
  }

  /** Takes what is pending as a line: at the end of the stream, or when quiet ended it. */
  takeRest(): Line {
    const line = decodeUtf8(this.#bytes.subarray(this.#start, this.#end));
    this.#start = this.#end;
    return line;
  }

  /** The lines in the bytes from `start` to `end`, which is just after an LF. */
  #lines(start: number, end: number): Line[] {
    // No line can be too long here, so one decoding serves all lines.
    if (end - start <= this.#maxLine) {
      const text = decodeUtf8(this.#bytes.subarray(start, end));
      if (text !== null) return splitLines(text);
    }
    return this.#linesOneByOne(start, end);
  }

  #linesOneByOne(start: number, end: number): Line[] {
    const lines: Line[] = [];
    while (start < end) {
      const lineEnd = this.#bytes.indexOf(LF, start);
      const hasCr = lineEnd > start && this.#bytes[lineEnd - 1] === CR;
      const textEnd = hasCr ? lineEnd - 1 : lineEnd;
      if (textEnd - start > this.#maxLine) {
        this.#tooLong = true;
        return lines;
      }
      if (textEnd > start) {
        lines.push(decodeUtf8(this.#bytes.subarray(start, textEnd)));
      }
      start = lineEnd + 1;
    }
    return lines;
  }

  /** Whether the bytes, which hold no LF, are more than a line may have, one CR aside. */
  #isTooLong(start: number, end: number): boolean {
    const length = end - start;
    if (length <= this.#maxLine) return false;
    return length > this.#maxLine + 1 || this.#bytes[end - 1] !== CR;
  }

  #grow(): void {
    const limit = Math.max(this.#maxLine + 2, PIPELINE_SIZE);
    const size = Math.min(this.#bytes.length * 2, limit);
    if (size === this.#bytes.length) return;
    const grown = new Uint8Array(size);
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}

/** The lines of a text that ends in LF, without CR and without the empty ones. */
function splitLines(text: string): string[] {
  const lines = (text.includes("\r") ? text.replaceAll("\r\n", "\n") : text)
    .split("\n");
  lines.pop(); // what follows the last LF
  return lines.includes("") ? lines.filter((line) => line !== "") : lines;
}
