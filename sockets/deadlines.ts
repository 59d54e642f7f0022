import { guarded } from "./guarded.ts";

/** Something that expires when its time is up. */
export interface Timed {
  /** When it expires, by the clock of {@linkcode Deadlines}; `Infinity` for never. */
  readonly deadline: number;
  /** Ends it, which also ends its deadline. Called once that has passed. */
  expire(): void;
}

/** Milliseconds between two sweeps, unless a short timeout needs more frequent ones. */
const SWEEP_MS = 250;

/**
 * Expires members that have passed their deadlines. One timer serves all: a
 * timer for each would cost 5 kB per connection.
 *
 * Its clock counts only the time that this process was running, so after the
 * machine slept or the process was stopped, no connection is cut off for a
 * silence that was not its peer's. A member expires at its deadline or up to two
 * sweeps later, never before.
 */
export class Deadlines {
  readonly #interval: number;
  readonly #members = new Set<Timed>();
  readonly #timer: ReturnType<typeof setInterval>;
  #now = 0;
  #lastSweep = performance.now();

  /** @param shortest The shortest timeout that will be used, in milliseconds. */
  constructor(shortest: number) {
    this.#interval = Math.max(5, Math.min(SWEEP_MS, shortest / 4));
    this.#timer = setInterval(() => this.#sweep(), this.#interval);
  }

  /** Milliseconds on its clock. */
  get now(): number {
    return this.#now + this.#sinceSweep(performance.now());
  }

  /** The deadline that lies `timeout` milliseconds ahead. */
  after(timeout: number): number {
    // The clock advances only with each sweep, so it may be one interval behind.
    return this.#now + timeout + this.#interval;
  }

  hasPassed(deadline: number): boolean {
    return deadline <= this.#now;
  }

  add(member: Timed): void {
    this.#members.add(member);
  }

  /** Returns whether it was a member. */
  delete(member: Timed): boolean {
    return this.#members.delete(member);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sinceSweep(time: number): number {
    return Math.min(time - this.#lastSweep, this.#interval * 2);
  }

  #sweep(): void {
    const time = performance.now();
    this.#now += this.#sinceSweep(time);
    this.#lastSweep = time;
    for (const member of this.#members) {
      if (this.hasPassed(member.deadline)) guarded(() => member.expire())();
    }
  }
}
