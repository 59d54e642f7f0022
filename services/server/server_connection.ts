import type { Endpoint, Protocol } from "../../protocol/addresses.ts";
import type { ForeignStart } from "../../protocol/first_bytes.ts";
import { LineBuffer } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import type { Timed } from "../../sockets/deadlines.ts";
import { errnoOf, isBug } from "../../sockets/errno.ts";
import { LineReader } from "../../sockets/line_reader.ts";
import type { Stream } from "../../sockets/stream.ts";
import { writeAll } from "../../sockets/write_all.ts";
import type { ServedConnection } from "./connection.ts";
import type { ConnectionContext } from "./connection_context.ts";
import { ConnectionLife, type ServingState } from "./connection_life.ts";
import { converse } from "./conversation.ts";
import { answerRequests } from "./requests.ts";
import { scheduler } from "./scheduler.ts";
import type { EndReason } from "./server.ts";

/** Milliseconds that an ended connection stays open for its peer to read the last reply. */
const LINGER_MS = 1_000;

const encoder = new TextEncoder();

/**
 * One accepted connection, from its beginning to its end.
 *
 * {@linkcode ConnectionLife} keeps its state, {@linkcode end} is the only way to end it, and
 * {@linkcode #live} the only place where it is closed.
 */
export class ServerConnection implements Timed, ServedConnection {
  readonly id: number;
  readonly acceptedAt = performance.now();
  requests = 0;
  reason: EndReason | undefined;
  foreign: ForeignStart | undefined;
  readonly stream: Stream;
  readonly reader: LineReader;
  readonly context: ConnectionContext;
  readonly life: ConnectionLife;
  /** Made only for a reply with steps. */
  #ended: AbortController | undefined;

  constructor(id: number, stream: Stream, context: ConnectionContext) {
    this.id = id;
    this.stream = stream;
    this.context = context;
    const { maxRequest, requestBuffers, silence, typing } = context;
    const lines = new LineBuffer(maxRequest, requestBuffers);
    this.reader = new LineReader(stream, lines, silence, typing);
    this.life = new ConnectionLife(context);
  }

  get state(): ServingState {
    return this.life.state;
  }

  get deadline(): number {
    return this.life.deadline;
  }

  get protocol(): Protocol {
    return this.context.protocol;
  }

  get remote(): Endpoint {
    return this.stream.remote;
  }

  get local(): Endpoint {
    return this.stream.local;
  }

  get canReset(): boolean {
    return this.stream.reset !== undefined;
  }

  get ended(): AbortSignal {
    this.#ended ??= new AbortController();
    return this.#ended.signal;
  }

  /** Serves the connection to its end and closes it. Never throws. */
  run(): Promise<EndReason> {
    const { service } = this.context;
    if (service.closesAtOnce) {
      this.end("served");
      return this.#live(async () => {});
    }
    const dialogue = service.converse?.(this.protocol);
    return this.#live(() =>
      dialogue === undefined ? answerRequests(this) : converse(dialogue, this)
    );
  }

  /**
   * Replies that the server is full, and closes. Never throws.
   *
   * @param patience Milliseconds that the peer has to read it.
   */
  turnAway(patience = LINGER_MS): Promise<EndReason> {
    return this.#live(async () => {
      await this.send(encoder.encode(`${ERROR_PREFIX}server is full\n`));
      this.end("server is full", patience);
    });
  }

  /**
   * Closing with unread input would make the kernel send a reset, which destroys replies in
   * flight. So it shuts down sending, and discards input until the peer leaves too.
   */
  end(reason: EndReason, patience = LINGER_MS): void {
    this.reason ??= reason;
    if (patience === 0) {
      this.life.close();
      this.stream.close(); // a pending read or write fails
    } else if (this.state !== "lingering") {
      this.life.linger(patience);
      this.stream.closeWrite().catch(() => this.stream.close());
    }
    this.#ended?.abort();
  }

  expire(): void {
    this.end(this.life.timeoutReason, 0);
  }

  send(bytes: Uint8Array): Promise<void> {
    // Replying begins anew with each part: the peer takes its replies, if slowly.
    return writeAll(this.stream, bytes, () => this.life.reply());
  }

  count(requests: number): void {
    this.requests += requests;
    this.context.answered += requests;
    this.life.onAnswered();
  }

  expectRequest(pending: number, isSame: boolean): void {
    if (pending > 0) this.life.expectRest(isSame);
    else if (this.life.expectRequest()) this.expire();
  }

  queue(): Promise<void> | undefined {
    const turn = scheduler.beforeLongWork();
    if (turn !== undefined) this.life.queue();
    return turn;
  }

  async #live(body: () => Promise<void>): Promise<EndReason> {
    const { deadlines } = this.context;
    deadlines.add(this);
    scheduler.connections++;
    try {
      await body();
      if (!this.life.converses) await this.#discard();
    } catch (error) {
      if (isBug(error)) reportError(error);
      this.reason ??= reasonOf(error);
    } finally {
      this.life.close();
      deadlines.delete(this);
      scheduler.connections--;
      this.stream.close();
      this.reader.close();
    }
    return this.reason ?? "end of stream";
  }

  /** Discards input until the peer leaves or its time is up. */
  async #discard(): Promise<void> {
    while (this.state === "lingering" || this.state === "silent") {
      if (!await this.reader.discard()) return;
    }
  }
}

function reasonOf(error: unknown): EndReason {
  const resets = ["ECONNRESET", "EPIPE", "ENOTCONN", "ECONNABORTED"];
  return resets.includes(errnoOf(error) ?? "") ? "reset" : "failed";
}
