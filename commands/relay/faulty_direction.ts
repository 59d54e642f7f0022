import { Changes } from "../../sockets/changes.ts";
import { freeBuffer } from "../../sockets/free_buffer.ts";
import type { Disturb, Piece } from "./faults/kind.ts";

/** Bytes that may wait before the sender is slowed. */
const MAX_WAITING = 65_536;

/** What a direction does with its data. */
export interface DirectionOptions {
  /** The faults that it passes through, in order. */
  readonly faults: readonly ((pieces: AsyncIterable<Piece>) => ReturnType<Disturb>)[];
  /** Passes data on. Must not throw. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Drops all that waits. */
  readonly signal: AbortSignal;
}

/** One direction of a connection with faults: passes pieces on in order, through each fault. */
export class FaultyDirection {
  /** Resolves once all that was taken has been passed on, or dropped. */
  readonly #drained: Promise<void>;
  readonly #signal: AbortSignal;
  readonly #pieces: Piece[] = [];
  readonly #changes = new Changes();
  #waiting = 0;
  #isFinished = false;

  constructor({ faults, write, signal }: DirectionOptions) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#changes.notify(), { once: true });
    let pieces: AsyncIterable<Piece> = this.#taken();
    for (const disturb of faults) pieces = disturb(pieces);
    this.#drained = this.#passAll(pieces, write);
  }

  /** Takes a piece, whose buffer is freed in the end. */
  take(bytes: Uint8Array): void {
    this.#pieces.push({ bytes, at: performance.now() });
    this.#waiting += bytes.length;
    this.#changes.notify();
  }

  /** Resolves once more may be taken. */
  async room(): Promise<void> {
    while (this.#waiting >= MAX_WAITING && !this.#signal.aborted) await this.#changes.next;
  }

  /** Resolves once all has been passed on: no more follows. The end itself passes the faults, too. */
  finish(): Promise<void> {
    if (!this.#isFinished) this.take(new Uint8Array());
    this.#isFinished = true;
    return this.#drained;
  }

  async *#taken(): AsyncGenerator<Piece> {
    while (!this.#signal.aborted) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        yield piece;
        this.#waiting -= piece.bytes.length;
        freeBuffer(piece.bytes);
        this.#changes.notify();
      } else if (this.#isFinished) return;
      else await this.#changes.next;
    }
  }

  async #passAll(
    pieces: AsyncIterable<Piece>,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    for await (const { bytes } of pieces) {
      if (this.#signal.aborted) return;
      if (bytes.length > 0) await write(bytes);
    }
  }
}
