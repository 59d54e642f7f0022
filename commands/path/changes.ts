/** What changes, seen by those who wait for it to be as they need it. */
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
 * Waits until a condition holds that can come true with any of the changes.
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
    // What has come true is never missed for being late: the condition is looked at last.
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
