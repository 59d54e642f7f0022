/** Reads and writes that Deno's runtime completes in one turn of its event loop (Tokio's budget per task). */
const TURN = 128;
/**
 * Connections from which some are held back: below, all fit in a turn, with room for the accepting
 * and reading of new ones.
 */
const MANY = 100;
/** Answers in one turn from which the turn counts as full, with others left waiting. */
const FULL_TURN = 120;
/** Milliseconds that long work may take before the event loop looks for other input. */
const SLICE_MS = 8;

/**
 * Divides the time of the event loop among the connections of all servers of this process.
 *
 * Long work takes turns in **time slices**. A peer that sends without a pause would otherwise be
 * answered without a pause: Deno completes up to 128 reads and writes before timers, signals and
 * other connections get their turn. So long work asks before it continues. While the slice lasts,
 * it may continue at once; after that it waits, first come first served, until the event loop has
 * looked for other input. Short requests never wait for that, however many connections have long
 * work.
 *
 * Of very many connections, those just answered are **held back** while others wait. Reads that do
 * not fit in a turn of the event loop are retried in the next, newest first: the same 128
 * connections would be served again and again while the others starve. So after a full turn, each
 * answered connection lets {@linkcode TURN} others be answered before it reads again. This serves
 * up to twice as many connections as fit in a turn equally. With thousands it helps less: all are
 * answered, but some several times as often as others. It gives a fifth more answers with 1,000
 * connections (`task bench --only 1000x1`).
 */
export class Scheduler {
  /** Connections that share the turns of the event loop; their servers count them. */
  connections = 0;

  readonly #held: (() => void)[] = [];
  #answers = 0;
  #wasFull = false;
  #turnEnd: ReturnType<typeof setImmediate> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  readonly #long: (() => void)[] = [];
  #sliceEnd = 0;
  #slice: ReturnType<typeof setTimeout> | undefined;

  /** Whether the time slice is over: call {@linkcode beforeLongWork} before continuing. */
  get isSliceOver(): boolean {
    if (this.#slice === undefined) this.#beginSlice();
    return performance.now() >= this.#sliceEnd;
  }

  /** Call before long work, and to continue it. Resolves when it may go on; `undefined` means at once. */
  beforeLongWork(): Promise<void> | undefined {
    if (this.#long.length === 0 && !this.isSliceOver) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#long.push(resolve);
    if (!this.isSliceOver) this.#long.shift()?.();
    return promise;
  }

  /** Call once a connection is answered. Resolves when it may read again; `undefined` means at once. */
  afterAnswer(): Promise<void> | undefined {
    if (this.connections < MANY) return undefined;
    this.#answers++;
    this.#turnEnd ??= setImmediate(this.#onTurnEnd);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push(resolve);
    if (this.#held.length > TURN) this.#held.shift()?.();
    return promise;
  }

  /** Lets all that wait go on, and stops the timers. Another server's connections only gain a turn. */
  release(): void {
    clearImmediate(this.#turnEnd);
    clearTimeout(this.#quiet);
    clearTimeout(this.#slice);
    this.#turnEnd = this.#quiet = this.#slice = undefined;
    letGo(this.#held);
    letGo(this.#long);
  }

  /**
   * A slice ends with a timer that is not yet due: while everything waits for it, the event loop
   * has nothing to do and polls its sockets. After a timer that is due, or `setImmediate`, it may
   * take 61 turns before it does (`task bench-floods`).
   */
  #beginSlice(): void {
    this.#sliceEnd = performance.now() + SLICE_MS;
    // The second is set once the work that began the slice is done; by then the first may be due.
    this.#slice = setTimeout(() => {
      this.#slice = setTimeout(() => this.#endSlice(), 1);
    }, 0);
  }

  #endSlice(): void {
    this.#slice = undefined;
    if (this.#long.length === 0) return;
    this.#beginSlice();
    this.#long.shift()?.(); // it releases the next one when it asks again
  }

  readonly #onTurnEnd = (): void => {
    this.#turnEnd = undefined;
    if (this.#answers >= FULL_TURN) {
      this.#wasFull = true;
      this.#quiet ??= setTimeout(this.#onQuiet);
    } else if (this.#quiet === undefined) {
      letGo(this.#held);
    }
    this.#answers = 0;
  };

  /** Runs from a timer, not an immediate: the event loop looks for input before a timer fires. */
  readonly #onQuiet = (): void => {
    this.#quiet = this.#wasFull ? setTimeout(this.#onQuiet) : undefined;
    if (!this.#wasFull) letGo(this.#held);
    this.#wasFull = false;
  };
}

/** All servers of this process share the time of its event loop. */
export const scheduler = new Scheduler();

function letGo(waiting: (() => void)[]): void {
  for (const go of waiting.splice(0)) go();
}
