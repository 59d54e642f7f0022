/** Milliseconds between the starts of two tries. */
const EVERY_MS = 250;

/** What to try, how long, and what to do with each try. */
export interface UntilOptions<T> {
  readonly attempt: Attempt<T>;
  /** Milliseconds for all tries together. */
  readonly limit: number;
  /** Milliseconds for each try. */
  readonly timeout: number;
  /** Whether there is room for another try alongside those that still wait. */
  readonly hasRoom: () => boolean;
  readonly isGood: (result: T) => boolean;
  /** Takes the result of each try that completed. */
  readonly tried: (result: T, number: number) => void;
}

/** One try of all targets. `signal` ends it early with a meaningless result. */
export type Attempt<T> = (options: {
  readonly timeout: number;
  readonly signal: AbortSignal;
}) => Promise<T>;

/** A completed try. */
export interface Tried<T> {
  /** Counted from 1. */
  readonly number: number;
  readonly result: T;
}

/**
 * Retries until a try is good or the time is up.
 *
 * Tries overlap: one that waits for an answer that was dropped does not keep
 * the next from finding a service that has come up in the meantime.
 *
 * @returns the first good try, otherwise the last one that completed.
 */
export async function until<T>(options: UntilOptions<T>): Promise<Tried<T>> {
  const { attempt, limit, timeout, hasRoom, isGood, tried } = options;
  const over = new AbortController();
  const running = new Set<Promise<void>>();
  const good = Promise.withResolvers<void>();
  let last: Tried<T> | undefined;
  let started = 0;

  const start = (longest: number): Promise<void> => {
    const number = ++started;
    const run = attempt({ timeout: longest, signal: over.signal }).then((result) => {
      if (over.signal.aborted) return;
      tried(result, number);
      const isBest = isGood(result);
      if (isBest || last === undefined || last.number < number) last = { number, result };
      if (!isBest) return;
      over.abort();
      good.resolve();
    }).catch(good.reject).finally(() => running.delete(run));
    running.add(run);
    return run;
  };

  // The first try gets no more than the whole limit, so that it completes in time.
  const first = start(Math.min(timeout, limit));
  const timer = setInterval(() => hasRoom() && start(timeout), EVERY_MS);
  let limitTimer: ReturnType<typeof setTimeout> | undefined;
  const timeIsUp = new Promise<void>((resolve) => limitTimer = setTimeout(resolve, limit));
  try {
    await Promise.race([good.promise, timeIsUp]);
    if (last === undefined) await first;
  } finally {
    clearInterval(timer);
    clearTimeout(limitTimer);
    over.abort();
    await Promise.all(running);
  }
  if (last === undefined) throw new Error("Cannot give a result as the first try gave none");
  return last;
}
