import type { Fault } from "./fault.ts";

/** Bytes that may wait before the sender is slowed. */
const MOST_WAITING = 65_536;
/** Pieces up to this size are split with a pause after each byte, so that each is a segment. */
const PACED_BYTES = 1_024;
const SPLIT_PAUSE_MS = 1;
/** How often a throttled direction sends per second, if its rate allows. */
const TICKS = 20;

/** A fault that cuts off the whole connection. */
export type Cutoff = "close" | "reset" | "stall";

/** The faults of one connection in both directions, and the bytes that they count. */
export class ConnectionFaults {
  /** Milliseconds to hold back each piece. */
  readonly delay: number;
  /** Bytes per second in both directions together; `undefined` means no limit. */
  readonly rate: number | undefined;
  readonly split: boolean;
  readonly garbage: boolean;
  /** Names of the faults that each piece suffers. */
  readonly names: readonly string[];
  /** When the next throttled bytes may be sent, as `performance.now()`. */
  nextAt = 0;
  /** How the connection is cut off, and after how many bytes of both directions. */
  readonly #cutoff: { readonly kind: Cutoff; readonly after: number } | undefined;
  #counted = 0;

  constructor(faults: readonly Fault[]) {
    const amounts = (kind: Fault["kind"]): readonly number[] =>
      faults.filter((fault) => fault.kind === kind).map(({ amount }) => amount);
    this.delay = amounts("delay").reduce((sum, amount) => sum + amount, 0);
    this.rate = amounts("throttle").length > 0 ? Math.min(...amounts("throttle")) : undefined;
    this.split = amounts("split").length > 0;
    this.garbage = amounts("garbage").length > 0;
    this.names = [...new Set(faults.map(({ kind }) => kind))].filter((kind) => !isCutoff(kind));
    [this.#cutoff] = faults
      .flatMap(({ kind, amount }) => isCutoff(kind) ? [{ kind, after: amount }] : [])
      .sort((one, other) => one.after - other.after);
  }

  /** How the connection is cut off at once, if it is. */
  get first(): Cutoff | undefined {
    return this.#cutoff?.after === 0 ? this.#cutoff.kind : undefined;
  }

  /** Counts arriving bytes; returns how many of them may pass, and whether a cutoff follows. */
  count(bytes: number): { readonly passing: number; readonly cutoff: Cutoff | undefined } {
    const before = this.#counted;
    this.#counted += bytes;
    const cutoff = this.#cutoff;
    if (cutoff === undefined || this.#counted < cutoff.after) {
      return { passing: bytes, cutoff: undefined };
    }
    const isFirst = before < cutoff.after;
    return {
      passing: Math.max(0, cutoff.after - before),
      cutoff: isFirst ? cutoff.kind : undefined,
    };
  }
}

/** Where the pieces of one direction go. */
export interface WayEnd {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** The sender has reset its connection. */
  reset(): void;
  /** A fault cuts off the connection. */
  cutOff(how: Cutoff): void;
}

type Piece =
  & { readonly dueAt: number }
  & (
    | { readonly what: "bytes"; readonly bytes: Uint8Array }
    | { readonly what: "end" | "reset" }
    | { readonly what: "cutoff"; readonly how: Cutoff }
  );

/** One direction of a connection with faults: passes pieces on in order, each when it is due. */
export class FaultyWay {
  readonly #faults: ConnectionFaults;
  readonly #to: WayEnd;
  readonly #pieces: Piece[] = [];
  #waiting = 0;
  #working = false;
  #stopped = false;
  /** Ends the current pause. */
  #wake: (() => void) | undefined;
  #room: (() => void) | undefined;

  constructor(faults: ConnectionFaults, to: WayEnd) {
    this.#faults = faults;
    this.#to = to;
  }

  /** Takes a piece; returns what happens to it. */
  take(piece: Uint8Array): { readonly faults: readonly string[]; readonly lost: boolean } {
    const { passing, cutoff } = this.#faults.count(piece.length);
    if (passing > 0) {
      const part = piece.subarray(0, passing);
      this.#waiting += passing;
      this.#add({ what: "bytes", bytes: this.#faults.garbage ? altered(part) : part });
    }
    if (cutoff !== undefined) this.#add({ what: "cutoff", how: cutoff });
    const lost = passing === 0;
    return { faults: lost ? [] : this.#faults.names, lost };
  }

  /** Resolves once more may be taken. */
  room(): Promise<void> {
    if (this.#waiting < MOST_WAITING || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.#room = resolve);
  }

  /** The sender has ended its side; waiting pieces go first. */
  end(): void {
    this.#add({ what: "end" });
  }

  /** The sender has reset its connection; waiting pieces go first. */
  reset(): void {
    this.#add({ what: "reset" });
  }

  /** Drops all waiting pieces. */
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
      case "cutoff":
        return this.#to.cutOff(piece.how);
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

  /** Both directions take turns, so that together they keep to the rate. */
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

/** A copy whose first byte is changed to one that never occurs in UTF-8. */
export function altered(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[0] = copy[0] === 0xff ? 0xfe : 0xff;
  return copy;
}

function isCutoff(kind: Fault["kind"]): kind is Cutoff {
  return kind === "close" || kind === "reset" || kind === "stall";
}
