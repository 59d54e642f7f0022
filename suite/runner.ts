import type { Outcome } from "./outcome.ts";
import { Finding, Skipped, type Test } from "./test.ts";

/** How much longer the second try of a test waits, on a busy machine. */
const PATIENCE = 4;

/** What the runner asks of a driver; each has what it needs. */
export interface Driver {
  /** Called before each try. @param patience Factor by which to lengthen all waits. */
  begin?(patience: number): void;
  /** Called after a test failed or was skipped: what is tested may be broken. */
  markSuspect?(): void;
  /** Ends whatever a stopped test still does. */
  cancel?(): Promise<void>;
  /** Last words of the program under test since the test began. */
  said?(): Promise<string | undefined>;
  /** Whether what is tested can't be tested any further; asked after a failure. */
  isGone?(): Promise<boolean>;
}

export interface RunOptions {
  /** Stops the run: between two tests, and within one. */
  readonly signal?: AbortSignal | undefined;
  /** Ids of the tests that may fail. */
  readonly allow?: ReadonlySet<string> | undefined;
  /**
   * Whether this machine is too busy to judge a test in which nothing arrived in time: that one
   * then has a second try, with more patience. @default {never}
   */
  readonly isMachineBusy?: (() => Promise<boolean>) | undefined;
}

/** Runs tests, one after another, in the table's order. */
export async function* run<D>(
  tests: readonly Test<D>[],
  driver: D & Driver,
  options: RunOptions = {},
): AsyncGenerator<Outcome, void, void> {
  /** Each test that failed or was not judged, with the one to see. */
  const failed = new Map<string, string>();
  let gone: string | undefined;
  for (const test of tests) {
    if (options.signal?.aborted) return;
    const { id, needs = [] } = test;
    let see = gone ?? needs.map((need) => failed.get(need)).find((known) => known !== undefined);
    const outcome = see === undefined ? await runOne(test, driver, options) : undefined;
    if (options.signal?.aborted) return;
    see ??= failed.get(outcome?.evidence?.blames ?? "");
    if (outcome === undefined || see !== undefined) {
      failed.set(id, see ?? id);
      yield { test, status: "not-judged", see, elapsedMs: 0 };
      continue;
    }
    yield outcome;
    if (outcome.status !== "fail") continue;
    if (outcome.evidence?.isUsable !== true) failed.set(id, id);
    if (await driver.isGone?.()) gone = id;
  }
}

/** Runs one test. Only bugs are thrown. */
async function runOne<D>(
  test: Test<D>,
  driver: D & Driver,
  options: RunOptions,
): Promise<Outcome> {
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  try {
    const seen = await runFairly(test, driver, options) ?? { status: "pass" };
    return { test, ...seen, elapsedMs: elapsed() };
  } catch (error) {
    if (error instanceof Skipped) {
      driver.markSuspect?.();
      return { test, status: "skip", detail: error.message, elapsedMs: elapsed() };
    }
    if (!(error instanceof Finding)) throw error;
    const said = (error.evidence.said ?? await driver.said?.()) || undefined;
    driver.markSuspect?.();
    const status = options.allow?.has(test.id) ? "allowed" : "fail";
    return { test, status, evidence: { ...error.evidence, said }, elapsedMs: elapsed() };
  }
}

/** Runs a test, and once more if nothing arrived in time and the machine is busy. */
async function runFairly<D>(test: Test<D>, driver: D & Driver, options: RunOptions) {
  const { signal, isMachineBusy } = options;
  try {
    driver.begin?.(1);
    return await runWithin(test, driver, signal);
  } catch (error) {
    const isSilence = error instanceof Finding && error.evidence.isSilence === true;
    if (!isSilence || signal?.aborted || !await isMachineBusy?.()) throw error;
  }
  driver.markSuspect?.();
  driver.begin?.(PATIENCE);
  return await runWithin(test, driver, signal);
}

/** Runs a test within its limit. One that is stopped has ended when this returns. */
async function runWithin<D>(
  test: Test<D>,
  driver: D & Driver,
  signal: AbortSignal | undefined,
) {
  const { limit } = test;
  const stopped = Promise.withResolvers<never>();
  let isStopped = false;
  const stop = (finding: Finding): void => {
    isStopped = true;
    stopped.reject(finding);
  };
  const timer = limit && setTimeout(() => stop(new Finding(limit.evidence)), limit.milliseconds);
  // Nobody sees this one: an aborted run yields nothing more.
  const abort = (): void => stop(new Finding({ saw: "aborted" }));
  signal?.addEventListener("abort", abort, { once: true });
  const running = test.run(driver);
  try {
    return await Promise.race([running, stopped.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    if (isStopped) {
      await driver.cancel?.();
      await running.catch(() => {});
    }
  }
}
