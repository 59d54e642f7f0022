import type { Fault } from "./fault.ts";

/** Bytes that may wait on their way before the sender is slowed. */
const MOST_WAITING = 65_536;
/** Pieces up to this size are split with a pause after each byte, so that each is a segment. */
const PACED_BYTES = 1_024;
const SPLIT_PAUSE_MS = 1;
/** A throttled way sends so many times a second, where it may send enough bytes. */
const TICKS = 20;

/** What strikes a connection as a whole. */
export type Blow = "close" | "reset" | "stall";

/** What is done to one connection: the faults of both its directions, and the bytes that they count. */
export class ConnectionFaults {
  /** Milliseconds that each piece is held back. */
  readonly delay: number;
  /** Bytes a second of both directions together; `undefined` without a limit. */
  readonly rate: number | undefined;
  readonly split: boolean;
  readonly garbage: boolean;
  /** Names of the faults that each piece suffers. */
  readonly names: readonly string[];
  /** When the next throttled bytes may go, as `performance.now()`. */
  nextAt = 0;
  /** What strikes, and after how many bytes of both directions. */
  readonly #blow: { readonly kind: Blow; readonly after: number } | undefined;
  #counted = 0;

  constructor(faults: readonly Fault[]) {
    const amounts = (kind: Fault["kind"]): readonly number[] =>
      faults.filter((fault) => fault.kind === kind).map(({ amount }) => amount);
    this.delay = amounts("delay").reduce((sum, amount) => sum + amount, 0);
    this.rate = amounts("throttle").length > 0 ? Math.min(...amounts("throttle")) : undefined;
    this.split = amounts("split").length > 0;
    this.garbage = amounts("garbage").length > 0;
    this.names = [...new Set(faults.map(({ kind }) => kind))].filter((kind) => !isBlow(kind));
    [this.#blow] = faults
      .flatMap(({ kind, amount }) => isBlow(kind) ? [{ kind, after: amount }] : [])
      .sort((one, other) => one.after - other.after);
  }

  /** What strikes as the connection comes. */
  get first(): Blow | undefined {
    return this.#blow?.after === 0 ? this.#blow.kind : undefined;
  }

  /** Counts bytes as they arrive; gives how many of them may pass, and what strikes after those. */
  count(bytes: number): { readonly passing: number; readonly blow: Blow | undefined } {
    const before = this.#counted;
    this.#counted += bytes;
    const blow = this.#blow;
    if (blow === undefined || this.#counted < blow.after) {
      return { passing: bytes, blow: undefined };
    }
    const isFirst = before < blow.after;
    return { passing: Math.max(0, blow.after - before), blow: isFirst ? blow.kind : undefined };
  }
}

/** Where the pieces of one direction go. */
export interface WayEnd {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** The sender has reset its connection. */
  reset(): void;
  strike(blow: Blow): void;
}

type Piece =
  & { readonly dueAt: number }
  & (
    | { readonly what: "bytes"; readonly bytes: Uint8Array }
    | { readonly what: "end" | "reset" }
    | { readonly what: "blow"; readonly blow: Blow }
  );

/** One direction of a connection on which faults strike: pieces go on in their order, each in its time. */
export class FaultyWay {
  readonly #faults: ConnectionFaults;
  readonly #to: WayEnd;
  readonly #pieces: Piece[] = [];
  #waiting = 0;
  #working = false;
  #stopped = false;
  /** Ends the pause that lasts now. */
  #wake: (() => void) | undefined;
  #room: (() => void) | undefined;

  constructor(faults: ConnectionFaults, to: WayEnd) {
    this.#faults = faults;
    this.#to = to;
  }

  /** Takes what has come; gives what happens to it. */
  take(piece: Uint8Array): { readonly faults: readonly string[]; readonly lost: boolean } {
    const { passing, blow } = this.#faults.count(piece.length);
    if (passing > 0) {
      const part = piece.subarray(0, passing);
      this.#waiting += passing;
      this.#add({ what: "bytes", bytes: this.#faults.garbage ? altered(part) : part });
    }
    if (blow !== undefined) this.#add({ what: "blow", blow });
    const lost = passing === 0;
    return { faults: lost ? [] : this.#faults.names, lost };
  }

  /** Resolves once more may be taken. */
  room(): Promise<void> {
    if (this.#waiting < MOST_WAITING || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.#room = resolve);
  }

  /** The sender has ended its side; what waits goes first. */
  end(): void {
    this.#add({ what: "end" });
  }

  /** The sender has reset its connection; what waits goes first. */
  reset(): void {
    this.#add({ what: "reset" });
  }

  /** Drops what waits. */
  stop(): void {
    this.#stopped = true;
    this.#pieces.length = 0;
    this.#wake?.();
    this.#room?.();
  }

  #add(piece: Piece extends infer P ? P extends unknown ? Omit<P, "dueAt"> : never : never): void {
    this.#pieces.push({ ...piece, dueAt: performance.now() + this.#faults.delay } as Piece);
    if (!this.#working) this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) {
      await this.#pause(piece.dueAt - performance.now());
      if (this.#stopped) break;
      await this.#pass(piece);
    }
    this.#working = false;
  }

  async #pass(piece: Piece): Promise<void> {
    switch (piece.what) {
      case "bytes":
        return await this.#write(piece.bytes);
      case "end":
        return await this.#to.end();
      case "reset":
        return this.#to.reset();
      case "blow":
        return this.#to.strike(piece.blow);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const { rate, split } = this.#faults;
    const size = split
      ? 1
      : rate === undefined
      ? bytes.length
      : Math.max(1, Math.ceil(rate / TICKS));
    const pause = split && bytes.length <= PACED_BYTES ? SPLIT_PAUSE_MS : 0;
    for (let start = 0; start < bytes.length && !this.#stopped; start += size) {
      const part = bytes.subarray(start, start + size);
      if (rate !== undefined) await this.#waitForTurn(part.length, rate);
      if (this.#stopped) return;
      await this.#to.write(part);
      await this.#pause(pause);
    }
    this.#waiting -= bytes.length;
    if (this.#waiting < MOST_WAITING) this.#room?.();
  }

  /** The bytes of both directions go one after the other, so that together they keep to the rate. */
  async #waitForTurn(bytes: number, rate: number): Promise<void> {
    const now = performance.now();
    const turn = Math.max(now, this.#faults.nextAt);
    this.#faults.nextAt = turn + bytes / rate * 1_000;
    await this.#pause(turn - now);
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0 || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** A copy whose first byte is one that UTF-8 never has, and not what it was. */
export function altered(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[0] = copy[0] === 0xff ? 0xfe : 0xff;
  return copy;
}

function isBlow(kind: Fault["kind"]): kind is Blow {
  return kind === "close" || kind === "reset" || kind === "stall";
}
