import type { Side } from "../../ladder/rung.ts";
import type { WireEnds, WireEvent } from "../../ladder/wire.ts";
import type { Stream } from "../../sockets/stream.ts";
import { type ConnectionFaults, type Cutoff, FaultyWay } from "./faulty_way.ts";

/** Bytes of each piece to keep for display. */
const KEPT_BYTES = 4_096;
/** Bytes to read at a time: few at first, so that an idle connection costs little. */
const FIRST_BUFFER = 4_096;
const LARGE_BUFFER = 65_536;
/** Milliseconds both ends get to notice that a fault has closed the connection. */
const CLOSE_PATIENCE_MS = 1_000;
/** Milliseconds until a stalled connection is closed, once one side has ended it. */
const STALL_PATIENCE_MS = 60_000;

/** Takes events. It must be quick. */
export interface EventSink {
  (event: WireEvent): void;
  /** Whether it wants the next data of a connection, to be copied for it. @default {always} */
  takesData?(connection: number): boolean;
}

export interface LinkOptions {
  /** Counts connections from 1. */
  readonly id: number;
  readonly client: Stream;
  readonly server: Stream;
  readonly ends: Omit<WireEnds, "elapsedMs">;
  /** Absent if nothing is shown; no data is kept then. */
  readonly emit: EventSink | undefined;
  /** What to do to the data that passes, if anything. */
  readonly faults: ConnectionFaults | undefined;
  /** Called once both connections are closed. */
  readonly ended: (link: Link) => void;
}

type State =
  /** Bytes, ends and resets pass. */
  | "passing"
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
  readonly #ways: Readonly<Record<Side, FaultyWay>> | undefined;
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
    this.#ways = faults &&
      { client: this.#way("client", faults), server: this.#way("server", faults) };
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
    const way = this.#ways?.[from];
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
        if (way !== undefined) {
          await this.#passFaulty(from, way, piece);
          continue;
        }
        waitsFor = other[from];
        const writing = sink.write(piece);
        if (emit !== undefined && (emit.takesData?.(id) ?? true)) {
          this.#emit({ what: "data", from, ...kept(piece), faults: [], lost: false });
        }
        const written = await writing;
        if (written < count) await writeAll(sink, piece.subarray(written));
      }
    } catch {
      return this.#failed(waitsFor);
    }
    await this.#ended(from);
  }

  /** Resolves once more may be read. */
  async #passFaulty(from: Side, way: FaultyWay, piece: Uint8Array): Promise<void> {
    const fate = way.take(new Uint8Array(piece)); // the buffer is reused
    this.#emit({ what: "data", from, ...kept(piece), ...fate });
    await way.room();
  }

  /** One side has stopped sending. */
  async #ended(from: Side): Promise<void> {
    this.#sending--;
    if (this.#state === "passing") {
      this.#emit({ what: "ended", from });
      const way = this.#ways?.[from];
      if (way !== undefined) way.end();
      else await this.#end(other[from]);
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
    const way = this.#ways?.[from];
    this.#emit({ what: "reset", from });
    if (this.#state === "passing" && way !== undefined) way.reset();
    else this.reset();
  }

  /** A fault cuts off the whole connection. */
  #cutOff(fault: Cutoff): void {
    if (this.#state !== "passing") return;
    this.#emit({ what: "fault", fault });
    this.#reason = "fault";
    switch (fault) {
      case "reset":
        this.reset("fault");
        break;
      case "stall":
        this.#state = "stalled";
        break;
      case "close":
        this.#state = "closing";
        this.#timer = setTimeout(() => this.#close(), CLOSE_PATIENCE_MS);
        this.#end("client");
        this.#end("server");
        break;
    }
    // Further input is read and discarded, so that the end of either side is noticed.
    this.#stopWays();
  }

  #way(from: Side, faults: ConnectionFaults): FaultyWay {
    return new FaultyWay(faults, {
      write: (bytes) =>
        writeAll(this.#options[other[from]], bytes).catch(() => this.#failed(other[from])),
      end: () => this.#end(other[from]),
      reset: () => this.reset(),
      cutOff: (how) => this.#cutOff(how),
    });
  }

  #stopWays(): void {
    this.#ways?.client.stop();
    this.#ways?.server.stop();
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#stopWays();
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

  #emit(event: Unnumbered<WireEvent>): void {
    const { emit, id } = this.#options;
    emit?.({ time: performance.now(), connection: id, ...event });
  }
}

type Unnumbered<E> = E extends unknown ? Omit<E, "time" | "connection"> : never;

async function writeAll(sink: Stream, bytes: Uint8Array): Promise<void> {
  for (let start = 0; start < bytes.length;) start += await sink.write(bytes.subarray(start));
}

/** Closes with a reset, or without one if this runtime can't reset. */
export function resetStream(stream: Stream): void {
  if (stream.reset === undefined) stream.close();
  else stream.reset();
}

/** A copy of the beginning of a piece. */
export function kept(piece: Uint8Array): { readonly data: Uint8Array; readonly bytes: number } {
  return { data: piece.slice(0, KEPT_BYTES), bytes: piece.length };
}
