/** Probes that are started at once. */
const LIMIT = 256;
/** Milliseconds after which one that is still waiting gives its place to the next: it costs nothing. */
const PATIENCE_MS = 50;
/** Probes that may wait beside them, each of which holds a descriptor. */
const WAITING_LIMIT = 768;

/**
 * Runs many tasks, some at a time.
 *
 * One that waits long, as for an answer that was dropped, gives its place to
 * the next: else a few hundred dead hosts would make all others wait.
 */
export class Slots {
  #busy = 0;
  #waiting = 0;
  readonly #queue: (() => void)[] = [];

  /** Whether nobody has to wait for a place. */
  get hasRoom(): boolean {
    return this.#queue.length === 0 && this.#isFree();
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#isFree()) this.#busy++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    let waits = false;
    const timer = setTimeout(() => {
      waits = true;
      this.#waiting++;
      this.#leave();
    }, PATIENCE_MS);
    try {
      return await task();
    } finally {
      clearTimeout(timer);
      if (waits) {
        this.#waiting--;
        this.#admit();
      } else {
        this.#leave();
      }
    }
  }

  #isFree(): boolean {
    return this.#busy < LIMIT && this.#waiting < WAITING_LIMIT;
  }

  #leave(): void {
    this.#busy--;
    this.#admit();
  }

  /** Lets the next in, and counts it before anyone else comes. */
  #admit(): void {
    if (!this.#isFree()) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#busy++;
    next();
  }
}
