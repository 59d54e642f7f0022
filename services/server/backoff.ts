/** Milliseconds of the first wait, and of the longest. */
const FIRST_MS = 5;
const MOST_MS = 1_000;

/** Waits between tries of what keeps failing: 5 ms, then twice as long each time, up to 1 s. */
export class Backoff {
  #next = FIRST_MS;

  /** It has worked: the next wait is a short one again. */
  reset(): void {
    this.#next = FIRST_MS;
  }

  /** Waits, but not beyond the signal. */
  wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#next);
    this.#next = Math.min(this.#next * 2, MOST_MS);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", stop));
  }
}
