import type { Endpoint } from "../../protocol/addresses.ts";
import { errnoOf } from "../../sockets/errno.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import { type Line, LineBuffer } from "../../protocol/line_buffer.ts";
import type { Stream } from "../../sockets/stream.ts";
import type { Deadlines, QuietQueue, Timed } from "./deadlines.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { type ConnectionPeer, type EndReason, NOT_UTF8, type ServerEvents } from "./server.ts";
import type { Service } from "../service.ts";
import type { FairQueue } from "./fair_queue.ts";

/** Characters of replies that are collected before they are written. */
const WRITE_SIZE = 65_536;
/** Milliseconds that a connection stays to see its last reply taken, once nothing more is answered. */
const LINGER_MS = 1_000;
/** Where bytes go that nobody will look at, of all connections alike. */
const discarded = new Uint8Array(65_536);

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly service: Service;
  /** Bytes that a request may have. */
  readonly maxRequest: number;
  /** Milliseconds a connection may be idle. */
  readonly idleTimeout: number;
  /** Milliseconds a request may take to arrive whole, and a reply to be taken. */
  readonly requestTimeout: number;
  readonly deadlines: Deadlines;
  readonly quiet: QuietQueue<Connection>;
  readonly buffers: BufferPool;
  readonly fairQueue: FairQueue;
  readonly onRequest: ServerEvents["answered"];
  /** Requests answered on all connections. */
  answered: number;
}

/** One accepted connection: reads requests and writes their replies until it ends. */
export class Connection implements Timed, ConnectionPeer {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly acceptedAt = performance.now();
  requests = 0;
  deadline = Infinity;

  readonly #stream: Stream;
  readonly #context: ConnectionContext;
  readonly #lines: LineBuffer;
  /** What {@linkcode expire} gives as the reason. */
  #waitsFor: EndReason = "idle timeout";
  #reason: EndReason | undefined;
  /** Nothing is answered any more: what still comes is read and thrown away. */
  #ending = false;
  #draining = false;
  /** The reply that quiet brought about, while the loop waits in a read. */
  #quietReply: Promise<void> | undefined;

  constructor(id: number, stream: Stream, context: ConnectionContext) {
    this.id = id;
    this.remote = stream.remote;
    this.local = stream.local;
    this.#stream = stream;
    this.#context = context;
    this.#lines = new LineBuffer(context.maxRequest);
  }

  /** Serves the connection to its end and closes it. Never throws. */
  async run(): Promise<EndReason> {
    this.#context.deadlines.add(this);
    try {
      if (this.#context.service.closesAtOnce) await this.#end("served");
      else this.#expect("idle timeout");
      await this.#converse();
    } catch (error) {
      this.#reason ??= reasonOf(error);
    } finally {
      this.#context.deadlines.delete(this);
      this.#context.quiet.forget(this);
      this.#stream.close();
    }
    return this.#reason ?? "end of stream";
  }

  /**
   * Tells the peer that the server is full and closes. Never throws.
   *
   * @param linger Whether to stay until the peer has taken it.
   */
  async turnAway(linger: boolean): Promise<void> {
    this.#context.deadlines.add(this);
    try {
      await this.#write(`${ERROR_PREFIX}server is full\n`);
      if (!linger) return;
      await this.#end("server is full");
      await this.#converse();
    } catch {
      // It has left before it was told.
    } finally {
      this.#context.deadlines.delete(this);
      this.#stream.close();
    }
  }

  /** From now on ends as soon as what has arrived is answered. */
  drain(): void {
    this.#draining = true;
  }

  /** Ends a draining connection that waits for nothing but its peer's next request. */
  endIfIdle(): void {
    const busy = this.#lines.pending > 0 || this.#waitsFor !== "idle timeout";
    if (!busy) this.#end("server stops").catch(() => this.cut("reset"));
  }

  /** Ends the connection at once; replies that were not taken are lost. */
  cut(reason: EndReason): void {
    this.#reason ??= reason;
    this.#stream.close(); // the pending read or write ends with Interrupted
  }

  expire(): void {
    this.cut(this.#waitsFor);
  }

  /** The silence after bytes without an LF: they were one request of a classic client. */
  onQuiet(): void {
    if (this.#ending) return;
    this.#quietReply = this.#answerQuiet()
      .catch((error) => this.cut(reasonOf(error)))
      .finally(() => this.#quietReply = undefined);
  }

  async #answerQuiet(): Promise<void> {
    await this.#answer([this.#lines.takeRest()], "");
    if (this.#isDrained()) await this.#end("server stops");
    else this.#expectNext();
  }

  /** Bytes -> lines -> replies -> bytes. No read begins before the write before it is done. */
  async #converse(): Promise<void> {
    const { quiet, fairQueue, deadlines } = this.#context;
    while (true) {
      const count = await this.#stream.read(
        this.#ending ? discarded : this.#lines.space(),
      );
      if (this.#quietReply !== undefined) await this.#quietReply;
      if (this.#ending) {
        if (count === null) return;
        continue;
      }
      if (this.#lines.quietEndsLine) quiet.forget(this);
      if (count === null) return await this.#answerRest();

      const wasPending = this.#lines.pending > 0;
      const requests = this.#lines.take(count);
      if (requests.length > 0) await this.#answer(requests, "\n");
      if (this.#lines.tooLong) await this.#refuseTooLong();
      else if (this.#isDrained()) await this.#end("server stops");
      else this.#expectNext(wasPending && requests.length === 0);
      if (!this.#ending && this.#lines.quietEndsLine) quiet.wait(this);
      const turn = fairQueue.pass(deadlines.size);
      if (turn !== undefined) await turn;
    }
  }

  /** The end of the stream ends the last request, which came without LF. */
  async #answerRest(): Promise<void> {
    this.#reason ??= "end of stream";
    if (this.#lines.pending > 0) {
      await this.#answer([this.#lines.takeRest()], "");
    }
  }

  async #refuseTooLong(): Promise<void> {
    await this.#write(
      `${ERROR_PREFIX}the request is longer than ${this.#context.maxRequest} bytes\n`,
    );
    await this.#end("request too long", this.#context.requestTimeout);
  }

  /** Whether the server stops and all that had arrived is answered. */
  #isDrained(): boolean {
    return this.#draining && this.#lines.pending === 0 && !this.#lines.filled;
  }

  /**
   * @param sameRequest Whether it still waits for the rest of the same request,
   * whose deadline then stays.
   */
  #expectNext(sameRequest = false): void {
    if (this.#lines.pending === 0) this.#expect("idle timeout");
    else if (!sameRequest) this.#expect("request timeout");
  }

  /** Sends the replies to the requests from `first` on, in as few writes as their size allows. */
  #answer(requests: readonly Line[], ending: "\n" | "", first = 0): Promise<void> {
    let next = first;
    let replies = "";
    while (next < requests.length && replies.length < WRITE_SIZE) {
      replies += this.#reply(requests[next++] ?? null) + ending;
    }
    this.requests += next - first;
    this.#context.answered += next - first;
    const written = this.#write(replies);
    if (next === requests.length) return written;
    return written.then(() => this.#answer(requests, ending, next));
  }

  #reply(request: Line): string {
    const { service, onRequest } = this.#context;
    const reply = request === null ? NOT_UTF8 : service.reply(request);
    onRequest?.(this, request, reply);
    return reply;
  }

  async #write(text: string): Promise<void> {
    const { buffers } = this.#context;
    this.#expect("reply timeout");
    const bytes = buffers.encode(text);
    let written = await this.#stream.write(bytes);
    while (written < bytes.length) written += await this.#stream.write(bytes.subarray(written));
    buffers.giveBack(bytes);
  }

  /**
   * Answers nothing more, and closes in a way that lets the replies arrive:
   * closing with unread input would make the kernel send a reset, which
   * destroys replies on their way.
   */
  async #end(reason: EndReason, linger = LINGER_MS): Promise<void> {
    this.#ending = true;
    this.#reason ??= reason;
    this.#expect(reason, linger);
    await this.#stream.closeWrite();
  }

  #expect(what: EndReason, timeout?: number): void {
    const { deadlines, idleTimeout, requestTimeout } = this.#context;
    this.#waitsFor = what;
    this.deadline = deadlines.after(
      timeout ?? (what === "idle timeout" ? idleTimeout : requestTimeout),
    );
  }
}

function reasonOf(error: unknown): EndReason {
  const resets = ["ECONNRESET", "EPIPE", "ENOTCONN", "ECONNABORTED"];
  return resets.includes(errnoOf(error) ?? "") ? "reset" : "failed";
}
