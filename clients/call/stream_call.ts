import type { Endpoint, Protocol } from "../../protocol/addresses.ts";
import { type Line, LineBuffer } from "../../protocol/line_buffer.ts";
import { kindOf, type SocketFailureKind } from "../../sockets/errno.ts";
import { type ReplyFacts, SocketFailure } from "../../sockets/failure.ts";
import { SilenceTimers } from "../../sockets/silence_timers.ts";
import type { Stream } from "../../sockets/stream.ts";
import type { Call, Received } from "./call.ts";

/** Most bytes in a reply, and most bytes that may arrive without one. */
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
  readonly #quiet = new SilenceTimers<StreamCall>();
  /** A read still pending after silence ended a reply; the next reply continues it. */
  #reading: Promise<number | null> | undefined;
  #timedOut = false;
  #ended = false;
  #received: Received = { bytes: 0, at: 0 };
  /** Set if a write found that the peer has reset the connection, or no longer reads. */
  #lost: "RESET" | "CLOSED" | undefined;

  /** @param replyTimeout Milliseconds to wait for each next reply. */
  constructor(stream: Stream, replyTimeout: number) {
    this.#stream = stream;
    this.#replyTimeout = replyTimeout;
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
    let bytes = encoder.encode(requests.map((request) => `${request}\n`).join(""));
    while (bytes.length > 0 && this.#lost === undefined) {
      try {
        bytes = bytes.subarray(await this.#stream.write(bytes));
      } catch (error) {
        this.#lost = kindOf(error) === "RESET" ? "RESET" : "CLOSED";
      }
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
    this.#reading ??= this.#read(); // the next reply continues it
    try {
      return await this.#reading === null ? "end" : "data";
    } catch (error) {
      return kindOf(error) === "RESET" ? "reset" : "end";
    }
  }

  [Symbol.dispose](): void {
    this.#quiet.stop();
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
      this.#reading ??= this.#read();
      const count = await this.#readOrQuiet(this.#reading);
      if (count === 0) return [this.#lines.takeRest()];
      this.#reading = undefined;
      if (count === null) return [this.#rest()];
      this.#received = { bytes: this.#received.bytes + count, at: performance.now() };
      const lines = this.#lines.take(count);
      if (lines.length > 0) return lines;
      passedOver += this.#lines.pending === 0 ? count : 0;
    }
  }

  #read(): Promise<number | null> {
    const reading = this.#stream.read(this.#lines.space());
    // It may fail while nothing awaits it; whatever awaits it next gets the error.
    reading.catch(() => {});
    return reading;
  }

  /** Resolves to 0 if silence comes first, which ends the reply of a classic server. */
  async #readOrQuiet(reading: Promise<number | null>): Promise<number | null> {
    try {
      if (!this.#lines.quietEndsLine) return await reading;
      return await Promise.race([reading, this.#quiet.wait(this)]);
    } catch (error) {
      throw this.#receiveFailure(error);
    } finally {
      this.#quiet.forget(this);
    }
  }

  /** What is left at the end of the stream: the reply of a classic server, or one cut short. */
  #rest(): Line {
    const whole = this.#lines.pending > 0 && !this.#lines.framed && this.#lost !== "RESET";
    this.#ended = true;
    if (whole) return this.#lines.takeRest();
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
