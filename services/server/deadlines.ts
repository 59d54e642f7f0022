import { QUIET_MS } from "../../protocol/line_buffer.ts";

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
    // The clock stands still between sweeps, so it may be one interval behind.
    return this.#now + timeout + this.#interval;
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
      if (member.deadline <= this.#now) {
        member.deadline = Infinity;
        member.expire();
      }
    }
  }
}

/**
 * Waits for silence: tells a member when nothing has followed for
 * {@linkcode QUIET_MS}. All wait for the same time, so the first to come is the
 * first to be due, and one timer serves them all.
 */
export class QuietQueue<Member> {
  readonly #due = new Map<Member, number>();
  readonly #quiet: (member: Member) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(quiet: (member: Member) => void) {
    this.#quiet = quiet;
  }

  /** Starts the member's wait anew. */
  wait(member: Member): void {
    this.#due.delete(member); // so that it is the last again
    this.#due.set(member, performance.now() + QUIET_MS);
    this.#timer ??= setTimeout(() => this.#tell(), QUIET_MS);
  }

  /** Ends the member's wait; it is not told. */
  forget(member: Member): void {
    this.#due.delete(member);
  }

  stop(): void {
    this.#due.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [member, due] of this.#due) {
      if (due > now) {
        this.#timer = setTimeout(() => this.#tell(), due - now);
        return;
      }
      this.#due.delete(member);
      // Very late means that the process stood still: what came meanwhile is read first.
      if (now - due > QUIET_MS) this.wait(member);
      else this.#quiet(member);
    }
  }
}
