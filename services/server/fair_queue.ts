/** Reads and writes that Deno's runtime completes in one turn of its event loop (Tokio's budget of a task). */
const TURN = 128;
/** Answers in one turn that tell that the turn was full, and others were left waiting. */
const FULL_TURN = 120;

/**
 * Holds connections that were just answered back while others wait.
 *
 * What does not fit in a turn of the event loop is asked again in the next, and
 * the newest reads come first: 128 of all busy connections would go round and
 * round, and the others starve. So after a full turn each that was answered
 * lets {@linkcode TURN} others be answered before it reads again. Twice as many
 * as fit in a turn are then served alike. With thousands it helps less: there,
too, all are answered, but some several times as often as others. It is worth a
fifth more answers with 1,000 connections (`task bench --only 1000x1`).
 */
export class FairQueue {
  readonly #held: (() => void)[] = [];
  #answers = 0;
  #wasFull = false;
  #turnEnd: ReturnType<typeof setImmediate> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  /**
   * To be called once a connection is answered: when it may read again, or
   * `undefined` for at once.
   *
   * @param connections How many there are: so few that they fit in a turn are never held.
   */
  pass(connections: number): Promise<void> | undefined {
    if (connections <= TURN) return undefined;
    this.#answers++;
    this.#turnEnd ??= setImmediate(this.#onTurnEnd);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push(resolve);
    if (this.#held.length > TURN) this.#held.shift()?.();
    return promise;
  }

  /** Lets all go on that are held. */
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

  /** A timer, not another turn: the event loop looks for what has come before it fires. */
  readonly #onQuiet = (): void => {
    this.#quiet = this.#wasFull ? setTimeout(this.#onQuiet) : undefined;
    if (!this.#wasFull) this.#release();
    this.#wasFull = false;
  };
}
