/** Wakes those waiting for a change. */
export class Changes {
  #next = Promise.withResolvers<void>();

  /** Resolves at the next change. */
  get next(): Promise<void> {
    return this.#next.promise;
  }

  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }
}

/**
 * Waits until a condition holds; it is checked after each change.
 *
 * @param milliseconds The longest wait.
 * @returns whether it holds.
 */
export async function until(
  condition: () => boolean,
  changes: readonly Changes[],
  milliseconds: number,
): Promise<boolean> {
  if (condition()) return true;
  const expired = new Changes();
  let isExpired = false;
  const timer = setTimeout(() => {
    isExpired = true;
    expired.notify();
  }, milliseconds);
  try {
    // Check once more after the timer: on a busy machine it may overtake an earlier change.
    while (!condition() && !isExpired) {
      await Promise.race([expired, ...changes].map(({ next }) => next));
    }
    return condition();
  } finally {
    clearTimeout(timer);
  }
}

/** Lets time pass. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
