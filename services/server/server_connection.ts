import type { Endpoint, Protocol } from "../../protocol/addresses.ts";
import { type Line, LineBuffer } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import type { Timed } from "../../sockets/deadlines.ts";
import { errnoOf, isBug } from "../../sockets/errno.ts";
import { LineReader } from "../../sockets/line_reader.ts";
import type { Stream } from "../../sockets/stream.ts";
import { writeAll } from "../../sockets/write_all.ts";
import type { ReplyPlan, Requester } from "../service.ts";
import type { Dialogue } from "../../talk/dialogue.ts";
import { converse, lineOf, shownReply, whyIgnored } from "./conversation.ts";
import { type Batch, nextBatch } from "./batch.ts";
import type { ConnectionContext } from "./connection_context.ts";
import { ConnectionLife, type ServingState } from "./connection_life.ts";
import { takeSteps } from "./reply_steps.ts";
import { scheduler } from "./scheduler.ts";
import type { ConnectionPeer, EndReason } from "./server.ts";

/** Milliseconds that an ended connection stays open for its peer to read the last reply. */
const LINGER_MS = 1_000;
/** Bytes of one read from which answering counts as long work. */
const LONG_READ = 512;

/**
 * One accepted connection: reads requests and writes their replies until it ends.
 *
 * {@linkcode ConnectionLife} keeps its state, {@linkcode end} is the only way to end it, and
 * {@linkcode #live} the only place where it is closed.
 */
export class ServerConnection implements Timed, ConnectionPeer, Requester {
  readonly id: number;
  readonly acceptedAt = performance.now();
  requests = 0;

  readonly #stream: Stream;
  readonly #context: ConnectionContext;
  readonly #reader: LineReader;
  readonly #life: ConnectionLife;
  #reason: EndReason | undefined;
  /** Aborts at the end; made only for a reply with steps. */
  #ended: AbortController | undefined;

  constructor(id: number, stream: Stream, context: ConnectionContext) {
    this.id = id;
    this.#stream = stream;
    this.#context = context;
    const { maxRequest, requestBuffers, silence } = context;
    this.#reader = new LineReader(stream, new LineBuffer(maxRequest, requestBuffers), silence);
    this.#life = new ConnectionLife(context);
  }

  get state(): ServingState {
    return this.#life.state;
  }

  get deadline(): number {
    return this.#life.deadline;
  }

  get protocol(): Protocol {
    return this.#context.protocol;
  }

  get remote(): Endpoint {
    return this.#stream.remote;
  }

  get local(): Endpoint {
    return this.#stream.local;
  }

  get canReset(): boolean {
    return this.#stream.reset !== undefined;
  }

  /** Serves the connection to its end and closes it. Never throws. */
  run(): Promise<EndReason> {
    const { service } = this.#context;
    if (service.converse !== undefined) {
      const dialogue = service.converse(this.protocol);
      return this.#live(() => this.#play(dialogue));
    }
    if (service.closesAtOnce) this.end("served");
    else this.#expectRequest();
    return this.#live(() => this.#converse());
  }

  /**
   * Replies that the server is full, and closes. Never throws.
   *
   * @param patience Milliseconds that the peer has to read it.
   */
  turnAway(patience = LINGER_MS): Promise<EndReason> {
    return this.#live(async () => {
      await this.#write(`${ERROR_PREFIX}server is full\n`);
      this.end("server is full", patience);
    });
  }

  /**
   * Ends the connection: nothing more is answered.
   *
   * Closing with unread input would make the kernel send a reset, which destroys
   * replies in flight. So it shuts down sending, and discards input until the peer
   * leaves too.
   *
   * @param patience Milliseconds that the peer has to leave. 0 closes at once: replies not
   * yet delivered are lost.
   */
  end(reason: EndReason, patience = LINGER_MS): void {
    this.#reason ??= reason;
    if (patience === 0) {
      this.#life.close();
      this.#stream.close(); // a pending read or write fails
    } else if (this.state !== "lingering") {
      this.#life.linger(patience);
      this.#stream.closeWrite().catch(() => this.#stream.close());
    }
    this.#ended?.abort();
  }

  expire(): void {
    this.end(this.#life.timeoutReason, 0);
  }

  get #converses(): boolean {
    return this.#life.converses;
  }

  async #live(body: () => Promise<void>): Promise<EndReason> {
    const { deadlines } = this.#context;
    deadlines.add(this);
    scheduler.connections++;
    try {
      await body();
      if (!this.#converses) await this.#discard();
    } catch (error) {
      if (isBug(error)) reportError(error);
      this.#reason ??= reasonOf(error);
    } finally {
      this.#life.close();
      deadlines.delete(this);
      scheduler.connections--;
      this.#stream.close();
      this.#reader.close();
    }
    return this.#reason ?? "end of stream";
  }

  /** Bytes -> lines -> replies -> bytes. No read begins until the previous write is done. */
  async #converse(): Promise<void> {
    const { lines } = this.#reader;
    while (this.#converses) {
      const wasDraining = this.#context.draining;
      const count = await this.#reader.read();
      if (!this.#converses) return;
      const wasPending = lines.pending > 0;
      const isLong = (count ?? lines.pending) >= LONG_READ;
      const turn = isLong ? this.#queue() : undefined;
      if (turn !== undefined) await turn;
      if (!this.#converses) return;
      if (count === null) return await this.#answerRest();

      const requests = count === 0 ? lines.takeRest() : lines.take(count);
      if (requests.length > 0) await this.#answer(requests, count === 0 ? "" : "\n");
      if (!this.#converses) return;
      if (lines.tooLong) await this.#refuseTooLong();
      // A read from before the stop says nothing of what has arrived since.
      else if (wasDraining && this.#isDrained) this.end("server stops");
      else this.#expectRequest(wasPending && requests.length === 0);
      // Long work has already waited for its turn.
      const held = isLong ? undefined : scheduler.afterAnswer();
      if (held !== undefined) await held;
    }
  }

  /** Plays a service that converses. */
  async #play(dialogue: Dialogue): Promise<void> {
    const { onAnswered, onIgnored, maxRequest } = this.#context;
    const life = this.#life;
    const ending = await converse(dialogue, this.#stream, {
      waits: (pending) => {
        if (pending > 0) life.expectRest(life.state === "receiving");
        else if (life.expectRequest()) this.expire();
      },
      writes: () => life.reply(),
      maxRequest,
      refuses: () => this.end("request too long"),
      answered: (request, { about, replies }) => {
        if (about !== "request") return onIgnored?.(this, whyIgnored(request));
        this.#count(1);
        onAnswered?.(this, lineOf(request), shownReply(replies));
      },
      ends: () => this.end("served"),
      isOver: () => !this.#converses,
    });
    if (ending !== undefined) this.#reason ??= ending;
  }

  /** Discards input until the peer leaves or its time is up. */
  async #discard(): Promise<void> {
    while (this.state === "lingering" || this.state === "silent") {
      if (!await this.#reader.discard()) return;
    }
  }

  /**
   * Waits until there is time for long work, if necessary. The server causes this wait, so no
   * deadline applies.
   */
  #queue(): Promise<void> | undefined {
    const turn = scheduler.beforeLongWork();
    if (turn !== undefined) this.#life.queue();
    return turn;
  }

  /** Answers a final request that ended with the stream instead of an LF. */
  async #answerRest(): Promise<void> {
    this.#reason ??= "end of stream";
    const rest = this.#reader.lines.takeRest();
    if (rest.length > 0) await this.#answer(rest, "");
  }

  async #refuseTooLong(): Promise<void> {
    const { maxRequest, requestTimeout } = this.#context;
    await this.#write(`${ERROR_PREFIX}the request is longer than ${maxRequest} bytes\n`);
    this.end("request too long", requestTimeout);
  }

  /** Whether everything that has been read is answered, and the last read found no more. */
  get #isDrained(): boolean {
    return this.#reader.lines.pending === 0 && !this.#reader.lines.filled;
  }

  /** Sends the replies to the requests. */
  #answer(requests: readonly Line[], ending: "\n" | ""): Promise<void> {
    const batch = nextBatch(requests, 0, ending, this, this.#context);
    const written = this.#write(batch.text, batch.count);
    const isAll = batch.end === requests.length && batch.plan === undefined;
    if (isAll && this.#context.onAnswered === undefined) return written;
    // Without the text: a peer that does not read would keep it in memory for long.
    const rest = { ...batch, text: undefined };
    return written.then(() => this.#answerOn(rest, requests, ending));
  }

  /** Does what follows once a batch is written: its events, its plan, the remaining requests. */
  async #answerOn(
    batch: Omit<Batch, "text">,
    requests: readonly Line[],
    ending: "\n" | "",
  ): Promise<void> {
    const { onAnswered } = this.#context;
    while (true) {
      batch.replies?.forEach((reply, index) =>
        onAnswered?.(this, requests[batch.first + index] ?? null, reply)
      );
      if (batch.plan !== undefined) {
        await this.#perform(batch.plan, ending);
        onAnswered?.(this, requests[batch.end - 1] ?? null, batch.plan.shown);
      }
      if (batch.end === requests.length || !this.#converses) return;
      await this.#queue();
      if (!this.#converses) return;
      const next = this.#writeNext(requests, batch.end, ending);
      batch = next.rest;
      await next.written;
    }
  }

  /** Writes the replies from `first` on; the batch that it returns keeps no copy of them. */
  #writeNext(requests: readonly Line[], first: number, ending: "\n" | "") {
    const { text, ...rest } = nextBatch(requests, first, ending, this, this.#context);
    return { rest, written: this.#write(text, rest.count) };
  }

  /** Takes the steps of a reply in order. */
  #perform(plan: ReplyPlan, ending: "\n" | ""): Promise<void> {
    this.#count(1);
    this.#ended ??= new AbortController();
    return takeSteps(plan, ending, {
      stream: this.#stream,
      life: this.#life,
      deadlines: this.#context.deadlines,
      ended: this.#ended.signal,
      queue: () => this.#queue(),
      send: (bytes) => this.#writeAll(bytes),
      end: (reason, patience) => this.end(reason, patience),
    });
  }

  async #write(text: string, requests = 0): Promise<void> {
    const { replyBuffers } = this.#context;
    this.#life.reply();
    const bytes = replyBuffers.encode(text);
    // One write nearly always takes it all: no #writeAll, no extra promise (`task bench --only 64x1`)
    const written = bytes.length === 0 ? 0 : await this.#stream.write(bytes);
    if (written < bytes.length) await this.#writeAll(bytes.subarray(written));
    replyBuffers.giveBack(bytes);
    this.#count(requests);
  }

  #writeAll(bytes: Uint8Array): Promise<void> {
    // Replying begins anew with each part: the peer takes its replies, if slowly.
    return writeAll(this.#stream, bytes, () => this.#life.reply());
  }

  #count(requests: number): void {
    this.requests += requests;
    this.#context.answered += requests;
    this.#life.onAnswered();
  }

  /** @param sameRequest Whether it is the rest of the same request, which keeps its deadline. */
  #expectRequest(sameRequest = false): void {
    if (this.#reader.lines.pending > 0) this.#life.expectRest(sameRequest);
    else if (this.#life.expectRequest()) this.expire();
  }
}

function reasonOf(error: unknown): EndReason {
  const resets = ["ECONNRESET", "EPIPE", "ENOTCONN", "ECONNABORTED"];
  return resets.includes(errnoOf(error) ?? "") ? "reset" : "failed";
}
