/** Milliseconds that long work may take before the event loop looks for what else has come. */
const SLICE_MS = 8;

/**
 * Divides long work, of all connections together, into slices of time.
 *
 * What a peer sends without a pause would otherwise be answered without a
 * pause: Deno completes up to 128 reads and writes before timers, signals and
 * other connections have their turn. So whoever has much to do asks before it
 * goes on. It may at once while the slice lasts; then it waits, first come
 * first served, until the event loop has been round. Short requests never wait
 * here, however many connections have long work.
 *
 * A timer ends a slice, and one that is not yet due: while everything waits for
 * it, the event loop has nothing to do and looks at its sockets. After a timer
 * that is due, or `setImmediate`, it may go round 61 times before it does
 * (`task bench-floods`).
 */
export class TimeSlices {
  readonly #waiting: (() => void)[] = [];
  #end = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;

  /** Whether the slice is over: whoever works on should {@linkcode pass} first. */
  get isOver(): boolean {
    if (this.#turn === undefined) this.#begin();
    return performance.now() >= this.#end;
  }

  /** To be called before more of a long work: when it may go on, or `undefined` for at once. */
  pass(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && !this.isOver) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.isOver) this.#waiting.shift()?.();
    return promise;
  }

  /** Lets all go on that wait. */
  stop(): void {
    clearTimeout(this.#turn);
    this.#turn = undefined;
    for (const go of this.#waiting.splice(0)) go();
  }

  #begin(): void {
    this.#end = performance.now() + SLICE_MS;
    // The second is set once the work that began the slice is done: the first may be due by then.
    this.#turn = setTimeout(() => {
      this.#turn = setTimeout(() => this.#goOn(), 1);
    }, 0);
  }

  #goOn(): void {
    this.#turn = undefined;
    if (this.#waiting.length === 0) return;
    this.#begin();
    this.#waiting.shift()?.(); // it lets the next one go on when it asks again
  }
}
