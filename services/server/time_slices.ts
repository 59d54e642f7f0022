/** Milliseconds that long work may take before the event loop looks for other input. */
const SLICE_MS = 8;

/**
 * Divides the long work of all connections together into time slices.
 *
 * A peer that sends without a pause would otherwise be answered without a pause:
 * Deno completes up to 128 reads and writes before timers, signals and other
 * connections get their turn. So long work must ask before it continues. While the
 * slice lasts, it may continue at once; after that it waits, first come first
 * served, until the event loop has looked for other input. Short requests never
 * wait here, however many connections have long work.
 *
 * A slice ends with a timer that is not yet due: while everything waits for it,
 * the event loop has nothing to do and polls its sockets. After a timer that is
 * due, or `setImmediate`, it may take 61 turns before it does (`task bench-floods`).
 */
export class TimeSlices {
  readonly #waiting: (() => void)[] = [];
  #end = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;

  /** Whether the slice is over: call {@linkcode pass} before continuing. */
  get isOver(): boolean {
    if (this.#turn === undefined) this.#begin();
    return performance.now() >= this.#end;
  }

  /** Call before continuing long work. Resolves when it may continue; `undefined` means at once. */
  pass(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && !this.isOver) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.isOver) this.#waiting.shift()?.();
    return promise;
  }

  /** Releases all waiting work. */
  stop(): void {
    clearTimeout(this.#turn);
    this.#turn = undefined;
    for (const go of this.#waiting.splice(0)) go();
  }

  #begin(): void {
    this.#end = performance.now() + SLICE_MS;
    // The second is set once the work that began the slice is done; by then the first may be due.
    this.#turn = setTimeout(() => {
      this.#turn = setTimeout(() => this.#continue(), 1);
    }, 0);
  }

  #continue(): void {
    this.#turn = undefined;
    if (this.#waiting.length === 0) return;
    this.#begin();
    this.#waiting.shift()?.(); // it releases the next one when it asks again
  }
}
