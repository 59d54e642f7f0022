/** Reads and writes that Deno's runtime completes in one turn of its event loop (Tokio's budget per task). */
const TURN = 128;
/**
 * Connections from which some are held back: below, all fit in a turn, with room for the accepting
 * and reading of new ones.
 */
const MANY = 100;
/** Answers in one turn from which the turn counts as full, with others left waiting. */
const FULL_TURN = 120;

/**
 * Holds back connections that were just answered while others wait.
 *
 * Reads that do not fit in a turn of the event loop are retried in the next, newest
 * first: the same 128 connections would be served again and again while the others
 * starve. So after a full turn, each answered connection lets {@linkcode TURN}
 * others be answered before it reads again. This serves up to twice as many
 * connections as fit in a turn equally. With thousands it helps less: all are
 * answered, but some several times as often as others. It gives a fifth more
 * answers with 1,000 connections (`task bench --only 1000x1`).
 */
export class FairQueue {
  /** Connections that share the turns of the event loop; their servers count them. */
  connections = 0;
  readonly #held: (() => void)[] = [];
  #answers = 0;
  #wasFull = false;
  #turnEnd: ReturnType<typeof setImmediate> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  /**
   * Call once a connection is answered. Resolves when it may read again; `undefined`
   * means at once.
   */
  pass(): Promise<void> | undefined {
    if (this.connections < MANY) return undefined;
    this.#answers++;
    this.#turnEnd ??= setImmediate(this.#onTurnEnd);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push(resolve);
    if (this.#held.length > TURN) this.#held.shift()?.();
    return promise;
  }

  /** Releases all held connections. */
  open(): void {
    clearImmediate(this.#turnEnd);
    clearTimeout(this.#quiet);
    this.#turnEnd = this.#quiet = undefined;
    this.#release();
  }

  #release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  readonly #onTurnEnd = (): void => {
    this.#turnEnd = undefined;
    if (this.#answers >= FULL_TURN) {
      this.#wasFull = true;
      this.#quiet ??= setTimeout(this.#onQuiet);
    } else if (this.#quiet === undefined) {
      this.#release();
    }
    this.#answers = 0;
  };

  /** Runs from a timer, not an immediate: the event loop looks for input before a timer fires. */
  readonly #onQuiet = (): void => {
    this.#quiet = this.#wasFull ? setTimeout(this.#onQuiet) : undefined;
    if (!this.#wasFull) this.#release();
    this.#wasFull = false;
  };
}
