import { delay } from "@std/async/delay";
import type { FlagValues } from "../../../cli/arguments/flags.ts";
import type { Event } from "../../../cli/output/events.ts";
import type { flags, Sizes } from "../flags.ts";
import {
  assess,
  type AssessedRow,
  type AssessedTarget,
  type Limit,
  type Row,
} from "./assessment.ts";
import { isReply } from "../probe/verdict.ts";
import { waitForPort } from "../targets/port_file.ts";
import { type Expectation, leastSize } from "../targets/targets.ts";
import { Tally } from "./series.ts";
import {
  type CheckResult,
  probeEvent,
  resultOf,
  seriesResult,
  waitingWords,
} from "../report/results.ts";
import { probeRow, type RoundOptions, runRound, type Visit } from "./rounds.ts";

/** What a check found. */
export interface Findings {
  readonly targets: readonly AssessedTarget[];
  readonly results: readonly CheckResult[];
  /** The targets that were not checked, if it was stopped early. */
  readonly left?: readonly Expectation[] | undefined;
}

/** Options of every way of checking. */
export interface ModeOptions extends RoundOptions {
  /** The targets: a server that was started again may have another port. */
  targets(): readonly Expectation[];
  readonly strict: boolean;
  /** Ends it early, with what is known. */
  readonly stop: AbortSignal;
  /** Prints an event that is only for programs. */
  emit(event: Event): void;
  /** Shows progress to a user who is waiting; absent if none is. */
  readonly progress?: ((line: string) => void) | undefined;
}

/** The flags that say how often to probe, and what; without them, all is probed once. */
type Mode = Pick<FlagValues<typeof flags>, "for" | "count" | "every" | "sizes" | "port-file">;

/** Finds out about all targets, or if it is stopped, about some. */
export async function find(options: ModeOptions, mode: Mode): Promise<Findings> {
  const { for: limit, count, every, sizes, "port-file": portFile } = mode;
  const { stop } = options;
  const startedAt = performance.now();
  if (portFile !== undefined) await waitForPort(portFile, limit, stop);
  if (stop.aborted) return { targets: [], results: [], left: options.targets() };
  if (limit !== undefined) {
    const left = limit - (performance.now() - startedAt);
    return await untilAsExpected(options, Math.max(1, left));
  }
  if (count !== undefined) return await repeatedly(options, count, every);
  if (sizes !== undefined) return await withSizes(options, sizes);
  return await probeOnce(options, probeRow);
}

/**
 * Probes everything until all is as expected.
 *
 * @param limit Milliseconds for all tries.
 */
async function untilAsExpected(options: ModeOptions, limit: number): Promise<Findings> {
  let waitingFor = "";
  const last = await retry(options, limit, ({ targets, number }) => {
    reportTries(targets, number, options);
    const now = waitingWords(targets);
    if (now !== waitingFor && now !== "") options.progress?.(now);
    waitingFor = now;
  });
  const results = resultsOf(last.targets, last.number);
  // Each try's lines of JSON were printed as it ended.
  return {
    targets: last.targets,
    results: results.map((it) => ({ ...it, event: undefined })),
    left: options.stop.aborted ? last.left : undefined,
  };
}

/** Probes everything several times, one round after the other; a round that is cut is not counted. */
async function repeatedly(options: ModeOptions, count: number, every: number): Promise<Findings> {
  const { stop } = options;
  const tally = new Tally();
  const startedAt = performance.now();
  for (let number = 1; number <= count && !stop.aborted; number++) {
    const { targets, left } = await probeAll(options, probeRow);
    if (left.length > 0 && number > 1) break;
    reportTries(targets, number, options);
    tally.add(targets);
    if (left.length > 0) return { targets, results: tally.series.map(seriesResult), left };
    const pause = Math.max(0, startedAt + number * every - performance.now());
    if (number < count) await delay(pause, { signal: stop }).catch(() => {}); // stopped early
  }
  return { targets: tally.targets, results: tally.series.map(seriesResult) };
}

/** Asks everything with requests of growing size until one does not pass. */
async function withSizes(options: ModeOptions, sizes: Sizes): Promise<Findings> {
  const visit: Visit = async (expected, remote, found, visitOptions) => {
    const tryOnce = (size: number): Promise<Row> =>
      probeRow(expected, remote, found, visitOptions, size);
    const passes = ({ verdict }: Row): boolean => isReply(verdict);
    const attempt = async (size: number): Promise<Row> => {
      const row = await tryOnce(size);
      // This host learns the path's MTU from a datagram that is lost.
      return passes(row) || expected.target.protocol !== "udp" ? row : await tryOnce(size);
    };
    const least = Math.max(sizes.least, leastSize(expected, options.clients));
    const { shown, ...limit } = await findLimit({ ...sizes, least }, attempt, passes);
    return { ...shown, limit };
  };
  return await probeOnce(options, visit);
}

/**
 * Finds the largest size that passes: doubles the size until one does not,
 * then bisects.
 *
 * A size that passes costs a round trip; one that does not, a whole timeout.
 *
 * @returns the limit, with the try that shows it: the smallest that failed, otherwise the largest
 * that passed.
 */
export async function findLimit<Try>(
  { least, most }: Sizes,
  attempt: (size: number) => Promise<Try>,
  passes: (tried: Try) => boolean,
): Promise<Limit & { readonly shown: Try }> {
  let passedSize: number | undefined;
  let size = least;
  let shown = await attempt(size);
  while (passes(shown)) {
    passedSize = size;
    if (size === most) return { passedSize, failedSize: undefined, shown };
    size = Math.min(size * 2, most);
    shown = await attempt(size);
  }
  let failedSize = size;
  while (passedSize !== undefined && failedSize - passedSize > 1) {
    const middle = Math.floor((passedSize + failedSize) / 2);
    const tried = await attempt(middle);
    if (passes(tried)) passedSize = middle;
    else [failedSize, shown] = [middle, tried];
  }
  return { passedSize, failedSize, shown };
}

/** What was found out about all targets, in one round. */
interface Round {
  readonly targets: readonly AssessedTarget[];
  /** Those that were not done when the round was ended. */
  readonly left: readonly Expectation[];
}

async function probeOnce(options: ModeOptions, visit: Visit): Promise<Findings> {
  const { targets, left } = await probeAll(options, visit);
  return { targets, results: resultsOf(targets, 1), left: left.length > 0 ? left : undefined };
}

/** Does one round, which ends early at the stop, or at its own signal if it has one. */
async function probeAll(options: ModeOptions, visit: Visit): Promise<Round> {
  const { stop, signal = stop, strict } = options;
  const all = options.targets();
  const targets = assess(await runRound(all, { ...options, signal }, visit), strict);
  const done = new Set(targets.map(({ expected }) => expected));
  return { targets, left: all.filter((target) => !done.has(target)) };
}

/** Reports each row of a try to programs; people see only the last try, or a summary. */
function reportTries(
  targets: readonly AssessedTarget[],
  number: number,
  { emit }: ModeOptions,
): void {
  for (const row of rowsOf(targets)) emit(probeEvent(row, number));
}

function resultsOf(targets: readonly AssessedTarget[], number: number): readonly CheckResult[] {
  return rowsOf(targets).map((row) => resultOf(row, number));
}

function rowsOf(targets: readonly AssessedTarget[]): readonly AssessedRow[] {
  return targets.flatMap(({ rows }) => rows);
}

/** Milliseconds between the starts of two tries. */
const EVERY_MS = 250;

/** One try of all targets. */
interface Try extends Round {
  /** Counted from 1. */
  readonly number: number;
}

/**
 * Retries until all is as expected, the time is up, or it is stopped.
 *
 * Tries overlap: one that waits for an answer that was dropped does not keep
 * the next from finding a service that has come up in the meantime.
 *
 * @param limit Milliseconds for all tries together.
 * @param tried Takes each try that completed.
 * @returns the first good try, otherwise the last one that completed; if it was stopped before any
 * did, what is known.
 */
async function retry(
  options: ModeOptions,
  limit: number,
  tried: (completed: Try) => void,
): Promise<Try> {
  const over = new AbortController();
  options.stop.addEventListener("abort", () => over.abort(), { once: true });
  const running = new Set<Promise<void>>();
  const failed = Promise.withResolvers<never>();
  let last: Try | undefined;
  let started = 0;

  const start = (timeout: number): Promise<void> => {
    const number = ++started;
    const trying = probeAll({ ...options, timeout, signal: over.signal }, probeRow);
    const run = trying.then((round) => {
      // It was ended early, and is worth something only if nothing else is known.
      if (over.signal.aborted && last !== undefined) return;
      tried({ number, ...round });
      const isBest = round.targets.every(({ asExpected }) => asExpected);
      if (isBest || last === undefined || last.number < number) last = { number, ...round };
      if (isBest) over.abort();
    }).catch(failed.reject).finally(() => running.delete(run));
    running.add(run);
    return run;
  };

  // The first try gets no more than the whole limit, so that it completes in time.
  const first = start(Math.min(options.timeout, limit));
  const timer = setInterval(() => options.limiter.hasRoom && start(options.timeout), EVERY_MS);
  const timeIsUp = delay(limit, { signal: over.signal }).catch(() => {}); // or it is over earlier
  try {
    await Promise.race([failed.promise, timeIsUp]);
    if (last === undefined) await Promise.race([failed.promise, first]);
  } finally {
    clearInterval(timer);
    over.abort();
    await Promise.all(running);
  }
  if (last === undefined) throw new Error("Cannot give a result as the first try gave none");
  return last;
}
