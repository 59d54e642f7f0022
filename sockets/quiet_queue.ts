import { QUIET_MS } from "../protocol/line_buffer.ts";

/**
 * Turns of the event loop that pass before silence is believed: in the first, a process that
 * was stopped sees its timers but not yet its sockets; in the second, reads end; in the third,
 * that is known here.
 */
const TURNS = 3;
/** Milliseconds that a turn is late if the process stood still meanwhile. */
const LATE_MS = 50;

interface Waiting {
  /** When the silence has lasted long enough, as `performance.now()`. */
  readonly due: number;
  readonly resolve: (count: 0) => void;
  /** Turns that have passed since then, in which a read would have ended. */
  turns: number;
}

/**
 * Waits for silence: for members after whose last bytes nothing has come for
 * {@linkcode QUIET_MS}.
 *
 * A clock alone can't tell: while the process was stopped, or busy, bytes may
 * have come that nobody has read yet. So before silence is believed, the event
 * loop goes round as often as it takes for a read to end that could.
 *
 * All wait for the same time, so the first to come is the first to be due, and
 * one timer serves them all: a timer for each costs 5 kB a connection (the
 * idle connections of `task bench`, asked without line ends).
 */
export class QuietQueue<Member> {
  readonly #waiting = new Map<Member, Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer should fire. */
  #next = 0;

  /** Starts the member's wait anew; resolves with 0, for no bytes, once it is over. */
  wait(member: Member): Promise<0> {
    const { promise, resolve } = Promise.withResolvers<0>();
    this.#waiting.delete(member); // so that it is the last again
    this.#waiting.set(member, { due: performance.now() + QUIET_MS, resolve, turns: 0 });
    if (this.#timer === undefined) this.#lookIn(QUIET_MS);
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

  #lookIn(milliseconds: number): void {
    this.#next = performance.now() + milliseconds;
    this.#timer = setTimeout(this.#look, milliseconds);
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    const stoodStill = now - this.#next > LATE_MS;
    let wait: number | undefined;
    for (const [member, waiting] of this.#waiting) {
      if (waiting.due > now) {
        wait ??= waiting.due - now;
        break;
      }
      if (!stoodStill) waiting.turns++;
      if (waiting.turns < TURNS) {
        wait = 0;
      } else {
        this.#waiting.delete(member);
        waiting.resolve(0);
      }
    }
    if (wait !== undefined) this.#lookIn(wait);
  };
}
