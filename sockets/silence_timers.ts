import { QUIET_MS } from "../protocol/line_buffer.ts";

/**
 * Turns of the event loop to wait before trusting silence: in the first, a process that was
 * stopped sees its timers but not yet its sockets; in the second, reads complete; in the third,
 * their members have been forgotten.
 */
const TURNS = 3;
/** A timer more milliseconds late than this shows that the process was stopped or busy. */
const LATE_MS = 50;

interface Waiting {
  /** When the silence will have lasted long enough, as `performance.now()`. */
  readonly due: number;
  readonly resolve: (count: 0) => void;
  /** Turns since then in which a read would have completed. */
  turns: number;
}

/**
 * Detects silence: members that have received nothing for a while, {@linkcode QUIET_MS} if nothing
 * else is said.
 *
 * A clock alone is not enough: while the process was stopped or busy, bytes may
 * have arrived that are not read yet. So before silence is trusted, the event loop
 * takes as many turns as a read of such bytes needs to complete.
 *
 * All wait equally long, so the first to start is the first to be due, and one
 * timer serves them all: a timer for each would cost 5 kB per connection (the
 * idle connections of `task bench`, with requests that have no line ends).
 */
export class SilenceTimers<Member> {
  readonly #quietMs: number;
  readonly #waiting = new Map<Member, Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer should fire. */
  #next = 0;

  /** @param quietMs Milliseconds that silence lasts. */
  constructor(quietMs = QUIET_MS) {
    this.#quietMs = quietMs;
  }

  /** Restarts the member's wait; resolves with 0, for no bytes, once it is over. */
  wait(member: Member): Promise<0> {
    const { promise, resolve } = Promise.withResolvers<0>();
    this.#waiting.delete(member); // so that it is last again
    this.#waiting.set(member, { due: performance.now() + this.#quietMs, resolve, turns: 0 });
    if (this.#timer === undefined) this.#checkIn(this.#quietMs);
    return promise;
  }

  /** Ends the member's wait, which then never resolves. */
  forget(member: Member): void {
    this.#waiting.delete(member);
  }

  stop(): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #checkIn(milliseconds: number): void {
    this.#next = performance.now() + milliseconds;
    this.#timer = setTimeout(this.#check, milliseconds);
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    const wasLate = now - this.#next > LATE_MS;
    let wait: number | undefined;
    for (const [member, waiting] of this.#waiting) {
      if (waiting.due > now) {
        wait ??= waiting.due - now;
        break;
      }
      if (!wasLate) waiting.turns++;
      if (waiting.turns < TURNS) {
        wait = 0;
      } else {
        this.#waiting.delete(member);
        waiting.resolve(0);
      }
    }
    if (wait !== undefined) this.#checkIn(wait);
  };
}
