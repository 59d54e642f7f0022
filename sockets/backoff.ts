/** The first wait and the longest, in milliseconds. */
const FIRST_MS = 5;
const LONGEST_MS = 1_000;

/** Waits between retries: 5 ms, then twice as long each time, up to 1 s. */
export class Backoff {
  #next = FIRST_MS;

  /** Call after a success: the next wait is short again. */
  reset(): void {
    this.#next = FIRST_MS;
  }

  /** Waits, at most until the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#next);
    this.#next = Math.min(this.#next * 2, LONGEST_MS);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", stop));
  }
}
