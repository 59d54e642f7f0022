import { delay } from "@std/async/delay";
import { guarded } from "./guarded.ts";

/** The first wait after a failure and the longest, in milliseconds; each is twice the one before. */
const FIRST_MS = 5;
const LONGEST_MS = 1_000;
/** Minimum milliseconds between two reports. */
const REPORT_MS = 1_000;

/** How to continue after failures. */
export interface RetryOptions {
  /** Ends the work, and all waits. */
  readonly signal: AbortSignal;
  /** Whether a failure concerns only one peer, which calls for no wait and no report. */
  readonly isHarmless: (error: unknown) => boolean;
  /** Called after a failure, at most once a second. */
  readonly onFailure?: ((error: Error) => void) | undefined;
}

/**
 * Does work that never ends by itself, such as accepting, until the signal aborts. Whenever it
 * throws, it starts again after a wait of 5 ms to 1 s. Never throws.
 *
 * @param work Loops until it throws; calls `succeeded` after each success.
 */
export async function retry(
  work: (succeeded: () => void) => Promise<void>,
  { signal, isHarmless, onFailure }: RetryOptions,
): Promise<void> {
  let wait = FIRST_MS;
  let reportedAt = -Infinity;
  const succeeded = (): void => {
    wait = FIRST_MS;
  };
  while (!signal.aborted) {
    try {
      await work(succeeded);
    } catch (error) {
      if (signal.aborted) return;
      if (isHarmless(error)) continue;
      const now = performance.now();
      if (now - reportedAt >= REPORT_MS) {
        reportedAt = now;
        if (onFailure !== undefined) guarded(onFailure)(error as Error);
      }
      await delay(wait, { signal }).catch(() => {});
      wait = Math.min(wait * 2, LONGEST_MS);
    }
  }
}
