/** Where in the shared memory each number is. */
const ACCEPTED = 0;
const OPEN = 1;
const LIMIT = 2;

/**
 * How many connections have come and are open, and how many may be: of one
 * server, or of several in workers, which share the memory.
 */
export class ConnectionCounts {
  /** To be given to the constructor in another worker. */
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#numbers = new Int32Array(memory);
  }

  /** Counts from 0. */
  static upTo(limit: number): ConnectionCounts {
    const counts = new ConnectionCounts(
      new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT),
    );
    Atomics.store(counts.#numbers, LIMIT, limit);
    return counts;
  }

  /** Connections that are open. */
  get open(): number {
    return Atomics.load(this.#numbers, OPEN);
  }

  get full(): boolean {
    return this.open >= Atomics.load(this.#numbers, LIMIT);
  }

  /** Counts one that has come; gives its number, from 1. */
  accept(): number {
    return Atomics.add(this.#numbers, ACCEPTED, 1) + 1;
  }

  /** Counts one as open; `false` if there are as many as may be. */
  enter(): boolean {
    const limit = Atomics.load(this.#numbers, LIMIT);
    if (Atomics.add(this.#numbers, OPEN, 1) < limit) return true;
    this.leave();
    return false;
  }

  leave(): void {
    Atomics.sub(this.#numbers, OPEN, 1);
  }

  /** Allows no more than so many from now on. */
  lowerLimit(limit: number): void {
    if (limit < Atomics.load(this.#numbers, LIMIT)) Atomics.store(this.#numbers, LIMIT, limit);
  }
}
