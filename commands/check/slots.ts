/** Probes that are started at once. */
const LIMIT = 256;
/** The least that they become where descriptors are short. */
const LEAST_LIMIT = 8;
/** Milliseconds after which one that is still waiting gives its place to the next: it costs nothing. */
const PATIENCE_MS = 20;
/** Probes that may wait beside them, each of which holds a descriptor. */
const WAITING_LIMIT = 768;

interface Place {
  readonly since: number;
  /** Whether it has given its place to another, and is only waited for. */
  waits: boolean;
}

/**
 * Runs many tasks, some at a time.
 *
 * One that waits long, as for an answer that was dropped, gives its place to
 * the next: else a few hundred dead hosts would make all others wait.
 */
export class Slots {
  #limit = LIMIT;
  #waitingLimit = WAITING_LIMIT;
  #busy = 0;
  #waiting = 0;
  readonly #queue: (() => void)[] = [];
  /** Those who have a place, in the order in which they came. */
  readonly #places = new Set<Place>();
  #watch: ReturnType<typeof setInterval> | undefined;

  /**
   * Lets no more in than there are now: this process has no descriptor for more.
   *
   * @returns whether it is worth trying again.
   */
  shrink(): boolean {
    const held = Math.max(LEAST_LIMIT, this.#places.size);
    this.#limit = Math.min(this.#limit, held);
    this.#waitingLimit = Math.min(this.#waitingLimit, held - this.#limit);
    return this.#places.size > 0;
  }

  /** Whether nobody has to wait for a place. */
  get hasRoom(): boolean {
    return this.#queue.length === 0 && this.#isFree();
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#isFree()) this.#busy++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    const place: Place = { since: performance.now(), waits: false };
    this.#places.add(place);
    this.#watch ??= setInterval(() => this.#moveWaiting(), PATIENCE_MS);
    try {
      return await task();
    } finally {
      this.#places.delete(place);
      if (place.waits) this.#waiting--;
      else this.#busy--;
      this.#admit();
      if (this.#places.size === 0) this.#stopWatching();
    }
  }

  #isFree(): boolean {
    return this.#busy < this.#limit && this.#waiting <= this.#waitingLimit;
  }

  /** Takes its place from each that has waited for long. */
  #moveWaiting(): void {
    const longAgo = performance.now() - PATIENCE_MS;
    for (const place of this.#places) {
      if (place.since > longAgo) return; // they are in the order of their start
      if (place.waits) continue;
      place.waits = true;
      this.#busy--;
      this.#waiting++;
      this.#admit();
    }
  }

  /** Lets the next in, and counts it before anyone else comes. */
  #admit(): void {
    if (!this.#isFree()) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#busy++;
    next();
  }

  #stopWatching(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
  }
}
