import { decodeUtf8, markLength } from "./utf8.ts";

const LF = 0x0a;
const CR = 0x0d;

/** Bytes that a buffer starts with: an idle connection costs little more. */
const INITIAL_SIZE = 1_024;
/**
 * Bytes of a buffer that takes a pipeline in one read (`task bench --only 64x256`). Only a longer
 * line makes it grow further.
 */
export const PIPELINE_SIZE = 16_384;

/** Maximum bytes of a message without a line end, as in the classic peer's `recv(1024)`. */
const MAX_UNFRAMED = 1_024;
/** Milliseconds of silence after which a message without a line end counts as complete. */
export const QUIET_MS = 200;

/**
 * The same where text comes a key at a time, as from Windows' telnet, and is not a whole request.
 */
export const TYPING_MS = 2_000;

/** A line without its end, or `null` for one that is not UTF-8. */
export type Line = string | null;

/** What has come without an LF. */
export interface Rest {
  /** One line, unless they end in CR or CR NUL, as some terminals' do (RFC 854). */
  readonly lines: Line[];
  /** `"\n"` if they do, so that their answers get a line end too. */
  readonly ending: "\n" | "";
}

/** A line end of a terminal that sends no LF. */
const TERMINAL_END = /\r\0?/;

/** Lends buffers of {@linkcode PIPELINE_SIZE} and takes them back. */
export interface PipelineBuffers {
  take(): Uint8Array<ArrayBuffer>;
  giveBack(buffer: Uint8Array<ArrayBuffer>): void;
}

/** Allocates a new buffer for each use. */
const newBuffers: PipelineBuffers = {
  take: () => new Uint8Array(PIPELINE_SIZE),
  giveBack: () => {},
};

/**
 * Turns the bytes of a stream into lines, however the stream was split.
 *
 * A line ends in LF; a CR before it is dropped; empty lines are skipped, and so is a byte order
 * mark before the first line.
 * Bytes are read straight into the buffer: ask for {@linkcode space}, read into
 * it, and pass the count to {@linkcode take}.
 */
export class LineBuffer {
  readonly #maxLine: number;
  readonly #buffers: PipelineBuffers;
  /** The buffer of an idle connection, unless it last sent a long pipeline. */
  readonly #small = new Uint8Array(INITIAL_SIZE);
  #bytes = this.#small;
  /** Where the bytes of an incomplete line begin and end. */
  #start = 0;
  #end = 0;
  #wasFilled = false;
  /** Whether the last read held several lines, more than fit in {@linkcode INITIAL_SIZE}. */
  #pipelined = false;
  #framed = false;
  /** Whether the first line has been taken. */
  #begun = false;
  #tooLong = false;

  /** @param maxLine Maximum bytes of a line without its end. */
  constructor(maxLine: number, buffers = newBuffers) {
    this.#maxLine = maxLine;
    this.#buffers = buffers;
  }

  /** Whether an LF has arrived. From then on, only LF or the end of the stream ends a line. */
  get framed(): boolean {
    return this.#framed;
  }

  /** Bytes of a line whose end has not arrived. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Whether the pending bytes are a whole line if nothing follows for {@linkcode QUIET_MS}. */
  get quietEndsLine(): boolean {
    return !this.#framed && this.pending > 0 && this.pending <= MAX_UNFRAMED;
  }

  /** Whether the last read filled the {@linkcode space}, so more is probably waiting. */
  get filled(): boolean {
    return this.#wasFilled;
  }

  /** Whether a line longer than the maximum has arrived. Nothing after it is kept. */
  get tooLong(): boolean {
    return this.#tooLong;
  }

  /** Where the next read puts its bytes: at least one byte, until a line is too long. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#start === this.#end) {
      this.#start = this.#end = 0;
      const size = this.#wasFilled || this.#pipelined ? PIPELINE_SIZE : INITIAL_SIZE;
      if (this.#bytes.length !== size) this.#resize(size);
      return this.#bytes;
    }
    if (this.#start > 0) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#wasFilled || this.#end === this.#bytes.length) this.#grow();
    return this.#bytes.subarray(this.#end);
  }

  /** The bytes of the incomplete line, and those that {@linkcode take} is about to take. */
  unread(count: number): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end + count);
  }

  /** Takes `count` bytes that were read into {@linkcode space}; returns the lines that they complete. */
  take(count: number): Line[] {
    const from = this.#end;
    this.#end += count;
    this.#wasFilled = this.#end === this.#bytes.length;
    const lastEnd = this.#lastLineEnd(from);
    let lines: Line[] = [];
    if (lastEnd >= from) {
      if (!this.#framed) this.#passMark();
      this.#framed = true;
      lines = this.#lines(this.#start, lastEnd + 1);
      this.#start = lastEnd + 1;
    }
    this.#pipelined = count > INITIAL_SIZE && lines.length > 1;
    if (this.#isTooLong(this.#start, this.#end)) this.#tooLong = true;
    return lines;
  }

  /** The pending bytes as text; `null` if they are not UTF-8. */
  get rest(): Line {
    return decodeUtf8(this.#bytes.subarray(this.#start, this.#end));
  }

  /** Takes the pending bytes as a line, if there are any, at the end of the stream or after silence. */
  takeRest(): Rest {
    if (!this.#framed) this.#passMark();
    const line = this.rest;
    this.#start = this.#end;
    if (this.#framed || !endsTyping(line)) return { lines: line === "" ? [] : [line], ending: "" };
    return { lines: line.split(TERMINAL_END).filter((typed) => typed !== ""), ending: "\n" };
  }

  /** Passes over a byte order mark before the first line. */
  #passMark(): void {
    if (!this.#begun) this.#start += markLength(this.#bytes, this.#start);
    this.#begun = true;
  }

  /** The index of the last LF at or after `from`; less than `from` if there is none. */
  #lastLineEnd(from: number): number {
    const last = this.#end - 1;
    if (this.#bytes[last] === LF) return last;
    return from + this.#bytes.subarray(from, last).lastIndexOf(LF);
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

  /** Whether the bytes, which hold no LF, are too many for a line, not counting a final CR. */
  #isTooLong(start: number, end: number): boolean {
    const length = end - start;
    if (length <= this.#maxLine) return false;
    return length > this.#maxLine + 1 || this.#bytes[end - 1] !== CR;
  }

  /** Grows to what a pipeline needs; further only for a line that has not ended. */
  #grow(): void {
    const { length } = this.#bytes;
    if (length < PIPELINE_SIZE) return this.#resize(PIPELINE_SIZE);
    const limit = Math.max(this.#maxLine + 2, PIPELINE_SIZE);
    if (this.#end === length && length < limit) this.#resize(Math.min(length * 4, limit));
  }

  #resize(size: number): void {
    const old = this.#bytes;
    this.#bytes = size === INITIAL_SIZE
      ? this.#small
      : size === PIPELINE_SIZE
      ? this.#buffers.take()
      : new Uint8Array(size);
    if (this.#end > 0) this.#bytes.set(old.subarray(0, this.#end));
    if (old.length === PIPELINE_SIZE) this.#buffers.giveBack(old);
  }

  /** Gives back a borrowed buffer. Must not be used afterwards. */
  close(): void {
    if (this.#bytes.length === PIPELINE_SIZE) this.#buffers.giveBack(this.#bytes);
    this.#bytes = this.#small;
    this.#start = this.#end = 0;
  }
}

/** Whether the Enter key of a terminal that sends no LF ends the text. */
export function endsTyping(text: Line): text is string {
  return text !== null && (text.endsWith("\r") || text.endsWith("\r\0"));
}

/** The lines of a text that ends in LF, without line ends and empty lines. */
function splitLines(text: string): string[] {
  const lines = (text.includes("\r") ? text.replaceAll("\r\n", "\n") : text)
    .split("\n");
  lines.pop(); // what follows the last LF
  return lines.includes("") ? lines.filter((line) => line !== "") : lines;
}
