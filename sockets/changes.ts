import { delay } from "@std/async/delay";

/** Turns of the event loop in which input that has arrived is read, after a wait is over. */
const TURNS = 2;

/** Wakes all that wait for the next change of something. */
export class Changes {
  #next: PromiseWithResolvers<void> | undefined;

  /** Resolves at the next change. */
  get next(): Promise<void> {
    this.#next ??= Promise.withResolvers();
    return this.#next.promise;
  }

  /** Whether anyone has asked for the next change. */
  get isAwaited(): boolean {
    return this.#next !== undefined;
  }

  notify(): void {
    this.#next?.resolve();
    this.#next = undefined;
  }
}

/**
 * Waits until a condition holds. It is checked at once, after each change, and at the end.
 *
 * @param milliseconds The longest wait. On a busy machine the timer may fire before input that had
 * arrived by then is read, so the event loop gets a few more turns.
 * @returns whether the condition holds.
 */
export async function until(
  condition: () => boolean,
  changes: readonly Changes[],
  milliseconds: number,
): Promise<boolean> {
  if (condition()) return true;
  const decided = new AbortController();
  let isLate = false;
  const timer = delay(milliseconds, decided).then(() => isLate = true, () => {});
  try {
    while (!isLate) {
      await Promise.race([timer, ...changes.map(({ next }) => next)]);
      if (condition()) return true;
    }
    for (let turn = 0; turn < TURNS && !condition(); turn++) await delay(0);
    return condition();
  } finally {
    decided.abort();
  }
}
