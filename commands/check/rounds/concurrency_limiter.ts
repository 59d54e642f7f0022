import { descriptors } from "../../../sockets/descriptors.ts";
import type { NetworkClock } from "../probe/network_clock.ts";

/** Maximum number of probes that may be busy at once. */
const MAX_BUSY = 64;
/**
 * Milliseconds of waiting for the network after which a probe counts as waiting, which costs
 * nothing, and frees its place.
 */
const PATIENCE_MS = 20;
/** Maximum number of further probes that may be waiting; each holds a descriptor. */
const MAX_WAITING = 768;

interface Place {
  readonly since: number;
  /** Whether the task has freed its place and only waits. */
  waits: boolean;
}

/**
 * Runs many tasks, a limited number at a time.
 *
 * A task that waits long, as for an answer that was dropped, gives its place to
 * the next. Otherwise a few hundred dead hosts would hold up all others. None runs
 * without a descriptor.
 */
export class ConcurrencyLimiter {
  #busy = 0;
  #waiting = 0;
  readonly #queue: (() => void)[] = [];
  /** The tasks that run, oldest first. */
  readonly #places = new Set<Place>();
  #watch: ReturnType<typeof setInterval> | undefined;
  readonly #clock: NetworkClock;

  constructor(clock: NetworkClock) {
    this.#clock = clock;
  }

  /** Whether a new task would start at once. */
  get hasRoom(): boolean {
    return this.#queue.length === 0 && this.#isFree();
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#isFree()) this.#busy++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    const place: Place = { since: this.#clock.time, waits: false };
    this.#places.add(place);
    this.#watch ??= setInterval(() => this.#moveWaiting(), PATIENCE_MS);
    // Counted before the task opens it: many wait for the same one.
    const giveBack = await descriptors.takeWhenFree();
    try {
      return await task();
    } finally {
      giveBack();
      this.#places.delete(place);
      if (place.waits) this.#waiting--;
      else this.#busy--;
      this.#admit();
      if (this.#places.size === 0) this.#stopWatching();
    }
  }

  #isFree(): boolean {
    return this.#busy < MAX_BUSY && this.#waiting <= MAX_WAITING;
  }

  /** Frees the places of tasks that have waited long. */
  #moveWaiting(): void {
    const longAgo = this.#clock.time - PATIENCE_MS;
    for (const place of this.#places) {
      if (place.since > longAgo) return; // all that follow started later
      if (place.waits) continue;
      place.waits = true;
      this.#busy--;
      this.#waiting++;
      this.#admit();
    }
  }

  /** Admits the next task, and counts it before another can start. */
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
