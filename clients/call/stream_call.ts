import type { Endpoint, Protocol } from "../../protocol/addresses.ts";
import { type Line, LineBuffer } from "../../protocol/line_buffer.ts";
import { kindOf, type SocketFailureKind } from "../../sockets/errno.ts";
import { type ReplyFacts, SocketFailure } from "../../sockets/failure.ts";
import { LineReader } from "../../sockets/line_reader.ts";
import { SilenceTimers } from "../../sockets/silence_timers.ts";
import type { Stream } from "../../sockets/stream.ts";
import { writeAll } from "../../sockets/write_all.ts";
import type { Call, Received } from "./call.ts";

/** Maximum bytes of a reply, and of what may arrive without one. */
const MAX_REPLY = 1_048_576;

const encoder = new TextEncoder();

/**
 * A call over a connection.
 *
 * A reply ends at LF. Until a reply on this connection has had one, the peer may
 * be a classic server: then a reply of up to 1,024 bytes also ends after 200 ms
 * of silence or at the end of the stream.
 */
export class StreamCall implements Call {
  readonly #stream: Stream;
  readonly #replyTimeout: number;
  readonly #lines = new LineBuffer(MAX_REPLY);
  readonly #silence = new SilenceTimers<LineReader>();
  readonly #reader: LineReader;
  #timedOut = false;
  #ended = false;
  #received: Received = { bytes: 0, at: 0 };
  /** Set if a write found that the peer has reset the connection, or no longer reads. */
  #lost: "RESET" | "CLOSED" | undefined;

  /** @param replyTimeout Milliseconds to wait for each next reply. */
  constructor(stream: Stream, replyTimeout: number) {
    this.#stream = stream;
    this.#replyTimeout = replyTimeout;
    this.#reader = new LineReader(stream, this.#lines, this.#silence);
  }

  get remote(): Endpoint {
    return this.#stream.remote;
  }

  get local(): Endpoint {
    return this.#stream.local;
  }

  get protocol(): Protocol {
    return "path" in this.#stream.remote ? "unix" : "tcp";
  }

  get framed(): boolean {
    return this.#lines.framed;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get received(): Received {
    return this.#received;
  }

  /** Sends all requests in one write, where the stream takes them whole. */
  async send(requests: readonly string[]): Promise<void> {
    if (this.#lost !== undefined) return;
    try {
      const text = requests.map((request) => `${request}\n`).join("");
      await writeAll(this.#stream, encoder.encode(text));
    } catch (error) {
      this.#lost = kindOf(error) === "RESET" ? "RESET" : "CLOSED";
    }
  }

  async receive(timeout = this.#replyTimeout): Promise<string[]> {
    const timer = setTimeout(() => this.#expire(), timeout);
    try {
      return (await this.#nextLines(performance.now() + timeout)).map((line) => this.#text(line));
    } finally {
      clearTimeout(timer);
    }
  }

  async unasked(): Promise<"data" | "end" | "reset"> {
    try {
      return await this.#reader.peek() === null ? "end" : "data";
    } catch (error) {
      return kindOf(error) === "RESET" ? "reset" : "end";
    }
  }

  [Symbol.dispose](): void {
    this.#silence.stop();
    this.#stream.close();
  }

  /** @param deadline Checked here too: a peer that sends without pause would starve the timer. */
  async #nextLines(deadline: number): Promise<Line[]> {
    let passedOver = 0;
    while (true) {
      if (performance.now() > deadline) this.#expire();
      if (this.#lines.tooLong || passedOver > MAX_REPLY) {
        throw this.#failure("ERROR", { problem: "too long", received: MAX_REPLY });
      }
      const count = await this.#read();
      if (count === null) return this.#rest();
      if (count > 0) {
        this.#received = { bytes: this.#received.bytes + count, at: performance.now() };
      }
      const lines = count === 0 ? this.#lines.takeRest().lines : this.#lines.take(count);
      if (lines.length > 0) return lines;
      passedOver += this.#lines.pending === 0 ? count : 0;
    }
  }

  /** Resolves to 0 if silence comes first, which ends the reply of a classic server. */
  async #read(): Promise<number | null> {
    try {
      return await this.#reader.read();
    } catch (error) {
      throw this.#receiveFailure(error);
    }
  }

  /** What is left at the end of the stream: the reply of a classic server, or one cut short. */
  #rest(): Line[] {
    const mayBeWhole = !this.#lines.framed && this.#lost !== "RESET";
    this.#ended = true;
    const rest = mayBeWhole ? this.#lines.takeRest().lines : [];
    if (rest.length > 0) return rest;
    throw this.#failure(this.#lost === "RESET" ? "RESET" : "CLOSED");
  }

  #receiveFailure(error: unknown): SocketFailure {
    if (this.#timedOut) return this.#failure("TIMEOUT");
    return this.#failure(kindOf(error) === "RESET" ? "RESET" : "CLOSED", {}, error);
  }

  #failure(
    kind: SocketFailureKind,
    facts: Partial<ReplyFacts> = {},
    cause?: unknown,
  ): SocketFailure {
    const { remote } = this.#stream;
    return new SocketFailure(kind, {
      phase: "reply",
      endpoint: remote,
      protocol: this.protocol,
      timeoutMs: this.#replyTimeout,
      received: this.#lines.pending,
      ...facts,
    }, cause);
  }

  #text(line: Line): string {
    if (line !== null) return line;
    throw this.#failure("ERROR", { problem: "not text" });
  }

  /** Handles a timeout: closing the stream ends a pending read or write. */
  #expire(): void {
    this.#timedOut = true;
    this.#stream.close();
  }
}
