/** What can be cut off when its time is up. */
export interface Timed {
  /** When it is cut, by the clock of {@linkcode Deadlines.now}; `Infinity` for never. */
  deadline: number;
  /** Ends it. Called once its deadline has passed. */
  expire(): void;
}

/** Milliseconds between two sweeps, unless a timeout is so short that it needs closer ones. */
const SWEEP_MS = 250;

/**
 * Cuts off what has passed its deadline: one timer for all connections, where
 * a timer for each would cost 5 kB a connection.
 *
 * Its clock counts the time that this process was running. A machine that
 * slept, or a process that was stopped, therefore cuts nobody off on waking
 * for a silence that was not theirs. What has a deadline is cut at it or up to
 * two sweeps later, never before.
 */
export class Deadlines {
  readonly #interval: number;
  readonly #members = new Set<Timed>();
  readonly #timer: ReturnType<typeof setInterval>;
  #now = 0;
  #lastSweep = performance.now();

  /** @param shortest Milliseconds of the shortest timeout that will be asked for. */
  constructor(shortest: number) {
    this.#interval = Math.max(5, Math.min(SWEEP_MS, shortest / 4));
    this.#timer = setInterval(() => this.#sweep(), this.#interval);
  }

  /** The deadline that lies `timeout` milliseconds ahead. */
  after(timeout: number): number {
    // The clock advances only with each sweep, so it may be one interval behind.
    return this.#now + timeout + this.#interval;
  }

  hasPassed(deadline: number): boolean {
    return deadline <= this.#now;
  }

  /** How many have deadlines. */
  get size(): number {
    return this.#members.size;
  }

  add(member: Timed): void {
    this.#members.add(member);
  }

  delete(member: Timed): void {
    this.#members.delete(member);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const time = performance.now();
    this.#now += Math.min(time - this.#lastSweep, this.#interval * 2);
    this.#lastSweep = time;
    for (const member of this.#members) {
      if (this.hasPassed(member.deadline)) {
        member.deadline = Infinity;
        member.expire();
      }
    }
  }
}
