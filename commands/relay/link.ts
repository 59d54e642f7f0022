import type { Side } from "../../ladder/rung.ts";
import type { EventSink, UnnumberedEvent, WireEnds } from "../../ladder/wire.ts";
import type { Stream } from "../../sockets/stream.ts";
import { writeAll } from "../../sockets/write_all.ts";
import type { ConnectionFaults } from "./connection_faults.ts";
import { kept } from "./kept.ts";
import type { Fault } from "./faults/fault.ts";
import type { FaultyDirection } from "./faulty_direction.ts";

/** Bytes to read at a time: few at first, so that an idle connection costs little. */
const FIRST_BUFFER = 4_096;
const LARGE_BUFFER = 65_536;
/** Milliseconds both ends get to notice that a fault has closed the connection. */
const CLOSE_PATIENCE_MS = 1_000;
/** Most bytes that the system holds for a peer that has not read them yet (Linux: `tcp_wmem`). */
const MAX_UNREAD = 4_194_304;
/** Bytes per millisecond that a peer reads before a reset, and before a connection is closed. */
const READ_RATE = 8_192;
const SLOW_READ_RATE = 64;
/** Milliseconds until a stalled connection is closed, once one side has ended it. */
const STALL_PATIENCE_MS = 60_000;

export interface LinkOptions {
  /** Counts connections from 1. */
  readonly id: number;
  readonly client: Stream;
  readonly server: Stream;
  readonly ends: Omit<WireEnds, "elapsedMs">;
  /** Absent if nothing is shown; no data is kept then. */
  readonly emit: EventSink | undefined;
  /** Bytes of each piece in its event. @default {4_096} */
  readonly keep: number | undefined;
  /** What to do to the data that passes, if anything. */
  readonly faults: ConnectionFaults | undefined;
  /** Called once both connections are closed. */
  readonly ended: (link: Link) => void;
}

type State =
  /** Bytes, ends and resets pass. */
  | "passing"
  /** A fault will cut the connection off once all that was taken has passed; input is discarded. */
  | "draining"
  /** A fault holds everything back; input is discarded. */
  | "stalled"
  /** A fault has ended both sides; further input is discarded. */
  | "closing"
  | "closed";

/** Why a connection was closed. */
type Reason = "ended" | "reset" | "fault";

const other = { client: "server", server: "client" } as const;

/**
 * A client's connection joined to one to the server: what one end sends goes to the other as it
 * arrives. Nothing more is read from a side until the other has taken what was read before.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #startedAt = performance.now();
  readonly #bytes = { client: 0, server: 0 };
  /** What each side sends, if there are faults. */
  readonly #directions: Readonly<Record<Side, FaultyDirection>> | undefined;
  #state: State = "passing";
  #reason: Reason = "ended";
  #isReset = false;
  /** Sides that may still send. */
  #sending = 2;
  /** Sides whose end of stream has been passed on. */
  #passed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { faults } = options;
    this.#directions = faults && {
      client: faults.direction("client", (bytes) => this.#write("server", bytes)),
      server: faults.direction("server", (bytes) => this.#write("client", bytes)),
    };
  }

  /** Starts passing data on. */
  start(): void {
    const first = this.#options.faults?.first;
    if (first !== undefined) this.#cutOff(first);
    this.#pass("client");
    this.#pass("server");
  }

  /** Resets both ends at once. */
  reset(reason: Reason = "reset"): void {
    if (this.#state === "closed") return;
    this.#reason = reason;
    resetStream(this.#options.client);
    resetStream(this.#options.server);
    this.#close();
  }

  /** Passes on what one side sends until it ends, or either side fails. */
  async #pass(from: Side): Promise<void> {
    const { [from]: source, [other[from]]: sink, emit, id } = this.#options;
    let buffer = new Uint8Array(FIRST_BUFFER);
    let waitsFor: Side = from;
    try {
      while (true) {
        waitsFor = from;
        const count = await source.read(buffer);
        if (count === null) break;
        this.#bytes[from] += count;
        if (this.#state !== "passing") continue;
        const piece = buffer.subarray(0, count);
        if (buffer.length === count && count < LARGE_BUFFER) buffer = new Uint8Array(LARGE_BUFFER);
        if (this.#directions !== undefined) {
          await this.#disturb(from, piece.slice()); // the buffer is reused
          continue;
        }
        waitsFor = other[from];
        const writing = sink.write(piece);
        if (emit !== undefined && (emit.takesData?.(id) ?? true)) {
          this.#emit({
            what: "data",
            from,
            ...kept(piece, this.#options.keep),
            faults: [],
            lost: false,
          });
        }
        const written = await writing;
        if (written < count) await writeAll(sink, piece.subarray(written));
      }
    } catch {
      return this.#failed(waitsFor);
    }
    await this.#ended(from);
  }

  /** Passes a piece through the faults; resolves once more may be read. */
  async #disturb(from: Side, piece: Uint8Array): Promise<void> {
    const { faults } = this.#options;
    const direction = this.#directions?.[from];
    if (faults === undefined || direction === undefined) return;
    const { passing, cutoff } = faults.count(piece.length);
    const lost = passing === 0;
    this.#emit({
      what: "data",
      from,
      ...kept(piece, this.#options.keep),
      faults: lost ? [] : faults.each,
      lost,
    });
    if (!lost) direction.take(piece.subarray(0, passing));
    if (cutoff !== undefined) this.#cutOff(cutoff);
    await direction.room();
  }

  /** One side has stopped sending. */
  async #ended(from: Side): Promise<void> {
    this.#sending--;
    if (this.#state === "passing") {
      this.#emit({ what: "ended", from });
      await this.#directions?.[from].finish();
      // What a fault waits for comes first.
      if (["passing", "draining"].includes(this.#state)) await this.#end(other[from]);
      return;
    }
    // A side that has ended may still wait for a reply: a stall must not reveal that none comes.
    if (this.#state === "stalled") {
      this.#timer ??= setTimeout(() => this.#close(), STALL_PATIENCE_MS);
    }
    this.#closeIfOver();
  }

  /** Ends one side's stream. */
  async #end(to: Side): Promise<void> {
    try {
      await this.#options[to].closeWrite();
      this.#passed++;
      this.#closeIfOver();
    } catch {
      this.#failed(to);
    }
  }

  #closeIfOver(): void {
    if (this.#state === "draining") return;
    const isOver = this.#state === "passing" ? this.#passed === 2 : this.#sending <= 0;
    if (isOver) this.#close();
  }

  /** One side has reset its connection or is no longer reachable: the other must learn of it. */
  #failed(from: Side): void {
    if (this.#state === "closed") return;
    if (this.#state === "closing") {
      this.#sending--;
      return this.#closeIfOver();
    }
    if (this.#isReset) return; // a read and a write may both have failed
    this.#isReset = true;
    this.#emit({ what: "reset", from });
    const direction = this.#state === "stalled" ? undefined : this.#directions?.[from];
    if (direction === undefined) this.reset();
    else direction.finish().then(() => this.reset());
  }

  /** A fault cuts off the whole connection, once all that was taken before has passed. */
  async #cutOff(fault: Fault): Promise<void> {
    if (this.#state !== "passing") return;
    this.#state = "draining";
    const { client, server } = this.#directions ?? {};
    await Promise.all([client?.finish(), server?.finish()]);
    if (this.#state !== "draining") return;
    this.#emit({ what: "fault", fault: fault.kind });
    this.#reason = "fault";
    fault.kind.cutsOff?.({
      end: () => this.#endBoth(),
      reset: () => this.#resetBoth(),
      stall: () => this.#state = "stalled",
    });
  }

  /** Ends both sides. Further input is read and discarded, so that the end of either is noticed. */
  #endBoth(): void {
    this.#state = "closing";
    const patience = CLOSE_PATIENCE_MS + this.#readingTime(SLOW_READ_RATE);
    this.#timer = setTimeout(() => this.#close(), patience);
    this.#end("client");
    this.#end("server");
  }

  /** Resets both sides, once their peers had time to read: a reset discards what has not arrived. */
  #resetBoth(): void {
    const patience = this.#readingTime(READ_RATE);
    if (patience < 1) this.reset("fault");
    else this.#timer = setTimeout(() => this.reset("fault"), patience);
  }

  /** Milliseconds until peers that read this many bytes per millisecond have read what was sent. */
  #readingTime(rate: number): number {
    return Math.min(MAX_UNREAD, this.#bytes.client + this.#bytes.server) / rate;
  }

  /** Writes to one side on behalf of a fault. */
  async #write(to: Side, bytes: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#options[to], bytes);
    } catch {
      this.#failed(to);
    }
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#options.faults?.stop();
    const { client, server, ends } = this.#options;
    client.close();
    server.close();
    this.#emit({
      what: "closed",
      reason: this.#reason,
      ...ends,
      clientBytes: this.#bytes.client,
      serverBytes: this.#bytes.server,
      elapsedMs: performance.now() - this.#startedAt,
    });
    this.#options.ended(this);
  }

  #emit(event: UnnumberedEvent): void {
    const { emit, id } = this.#options;
    emit?.({ time: performance.now(), connection: id, ...event });
  }
}

/** Closes with a reset, or without one if this runtime can't reset. */
export function resetStream(stream: Stream): void {
  if (stream.reset === undefined) stream.close();
  else stream.reset();
}
