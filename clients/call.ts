import { type Endpoint, formatEndpoints } from "../protocol/addresses.ts";
import { formatDuration } from "../protocol/duration.ts";
import { Failure } from "../protocol/failure.ts";
import { type Line, LineBuffer, QUIET_MS } from "../protocol/line_buffer.ts";
import type { StreamSocket } from "../protocol/socket_events.ts";
import { kindOf } from "./socket_errors.ts";

/** Bytes that a reply may have. */
const MAX_REPLY = 1_048_576;

const WRONG_PEER = { hint: "the peer may be another kind of server: check --host and --port" };

const encoder = new TextEncoder();

/** A talk with a server: requests go out, replies come in, in the same order. */
export interface Call extends Disposable {
  /** Whether the peer can tell several requests apart that are sent at once. */
  readonly framed: boolean;
  /**
   * Sends requests, each a line without its end.
   *
   * It does not throw: what a peer sent before it left is still to be received,
   * so {@linkcode receive}, which is to be called meanwhile, tells how it ended,
   * also if the peer takes nothing.
   */
  send(requests: readonly string[]): Promise<void>;
  /**
   * The next replies: at least one, and all that came with it.
   *
   * @throws {Failure} of kind `TIMEOUT`, `RESET`, `CLOSED`, or `ERROR` if what came is no reply.
   */
  receive(): Promise<string[]>;
}

/**
 * A call over a connection.
 *
 * A reply ends at LF. While none of this connection has had one, the peer may
 * be of the classic kind: then a reply of up to 1,024 bytes also ends after
 * 200 ms of silence or at the end of the stream.
 */
export class StreamCall implements Call {
  readonly #conn: StreamSocket;
  readonly #peer: string;
  readonly #replyTimeout: number;
  readonly #lines = new LineBuffer(MAX_REPLY);
  /** A read that quiet left behind: it goes on with the next reply. */
  #reading: Promise<number | null> | undefined;
  #timedOut = false;
  /** Whether the peer was found to have reset the connection, or to read no more, while sending. */
  #lost: "RESET" | "CLOSED" | undefined;

  /** @param replyTimeout Milliseconds to wait for each next reply. */
  constructor(conn: StreamSocket, replyTimeout: number) {
    this.#conn = conn;
    this.#replyTimeout = replyTimeout;
    const remote = conn.remoteAddr as Endpoint;
    this.#peer = formatEndpoints([remote], "path" in remote ? "unix" : "tcp");
    conn.setNoDelay?.();
  }

  get framed(): boolean {
    return this.#lines.framed;
  }

  /** All in one write. */
  async send(requests: readonly string[]): Promise<void> {
    let bytes = encoder.encode(requests.map((request) => `${request}\n`).join(""));
    while (bytes.length > 0 && this.#lost === undefined) {
      try {
        bytes = bytes.subarray(await this.#conn.write(bytes));
      } catch (error) {
        this.#lost = kindOf(error) === "RESET" ? "RESET" : "CLOSED";
      }
    }
  }

  async receive(): Promise<string[]> {
    const timer = setTimeout(() => this.#expire(), this.#replyTimeout);
    try {
      return (await this.#nextLines()).map((line) => this.#text(line));
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }

  async #nextLines(): Promise<Line[]> {
    while (true) {
      if (this.#lines.tooLong) {
        const what = `sent more than ${MAX_REPLY} bytes without a line end`;
        throw new Failure("ERROR", `${this.#peer} ${what}`, WRONG_PEER);
      }
      this.#reading ??= this.#read();
      const count = await this.#readOrQuiet(this.#reading);
      if (count === "quiet") return [this.#lines.takeRest()];
      this.#reading = undefined;
      if (count === null) return [this.#rest()];
      const lines = this.#lines.take(count);
      if (lines.length > 0) return lines;
    }
  }

  #read(): Promise<number | null> {
    const reading = this.#conn.read(this.#lines.space());
    // It may fail while nobody waits for it; then the next to wait is told.
    reading.catch(() => {});
    return reading;
  }

  async #readOrQuiet(reading: Promise<number | null>): Promise<number | null | "quiet"> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      if (!this.#lines.quietEndsLine) return await reading;
      const quiet = new Promise<"quiet">((resolve) => {
        timer = setTimeout(() => resolve("quiet"), QUIET_MS);
      });
      return await Promise.race([reading, quiet]);
    } catch (error) {
      throw this.#receiveFailure(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the end of the stream leaves: the reply of a classic server, or a reply cut short. */
  #rest(): Line {
    const whole = this.#lines.pending > 0 && !this.#lines.framed && this.#lost !== "RESET";
    if (whole) return this.#lines.takeRest();
    if (this.#lost === "RESET") throw this.#resetFailure();
    const what = this.#lines.pending > 0 ? "before the reply was whole" : "without a reply";
    throw new Failure("CLOSED", `${this.#peer} closed the connection ${what}`);
  }

  #receiveFailure(error: unknown): Failure {
    if (this.#timedOut) {
      const time = formatDuration(this.#replyTimeout);
      return new Failure("TIMEOUT", `no reply from ${this.#peer} within ${time}`);
    }
    if (kindOf(error) === "RESET") return this.#resetFailure(error);
    const why = error instanceof Error ? error.message : String(error);
    return new Failure("CLOSED", `the connection to ${this.#peer} failed: ${why}`, {
      cause: error,
    });
  }

  #resetFailure(cause?: unknown): Failure {
    return new Failure("RESET", `${this.#peer} reset the connection before it replied`, { cause });
  }

  #text(line: Line): string {
    if (line !== null) return line;
    throw new Failure("ERROR", `the reply of ${this.#peer} is not UTF-8 text`, WRONG_PEER);
  }

  /** Nothing came in time: closing is what ends a pending read or write. */
  #expire(): void {
    this.#timedOut = true;
    this.#conn[Symbol.dispose]();
  }
}
