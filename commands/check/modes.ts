import type { Report, Result } from "../../cli/reports/report_flags.ts";
import { assess, type AssessedRow, type AssessedTarget, type Row } from "./assess.ts";
import type { Expected } from "./expectation.ts";
import { Tally } from "./repeat.ts";
import { probeEvent, resultOf, seriesResult } from "./results.ts";
import { leastSize, probeRow, type RoundOptions, runRound, type Visit } from "./rounds.ts";
import { findLimit, type Sizes } from "./sizes.ts";
import { until } from "./until.ts";
import { waitingWords } from "./words.ts";

/** What a check found. */
export interface Finding {
  readonly targets: readonly AssessedTarget[];
  readonly results: readonly Result[];
}

/** Options of every way of checking. */
export interface ModeOptions extends RoundOptions {
  readonly targets: readonly Expected[];
  readonly strict: boolean;
  readonly report: Report;
  /** Shows progress to a user who is waiting; absent if none is. */
  readonly progress?: ((line: string) => void) | undefined;
}

/** Probes everything once. */
export async function once(options: ModeOptions): Promise<Finding> {
  const targets = await probeAll(options);
  return { targets, results: resultsOf(targets, 1) };
}

/**
 * Probes everything until all is as expected.
 *
 * @param limit Milliseconds for all tries.
 */
export async function untilAsExpected(options: ModeOptions, limit: number): Promise<Finding> {
  let waitingFor = "";
  const last = await until({
    attempt: ({ timeout, signal }) => probeAll({ ...options, timeout, signal }),
    isGood: (targets) => targets.every(({ asExpected }) => asExpected),
    tried(targets, number) {
      reportTries(targets, number, options);
      const now = waitingWords(targets);
      if (now !== waitingFor && now !== "") options.progress?.(now);
      waitingFor = now;
    },
    hasRoom: () => options.slots.hasRoom,
    timeout: options.timeout,
    limit,
  });
  const results = resultsOf(last.result, last.number);
  // Each try's lines of JSON were printed as it ended.
  return { targets: last.result, results: results.map((it) => ({ ...it, event: undefined })) };
}

/** How often to probe. */
interface RepeatOptions {
  readonly count: number;
  /** Milliseconds from one start to the next; more if a round takes longer. */
  readonly every: number;
  /** Ends early with the counts so far. */
  readonly stop: AbortSignal;
}

/** Probes everything several times, one round after the other. */
export async function repeatedly(
  options: ModeOptions,
  { count, every, stop }: RepeatOptions,
): Promise<Finding> {
  const tally = new Tally();
  const startedAt = performance.now();
  for (let number = 1; number <= count && !stop.aborted; number++) {
    const targets = await probeAll(options);
    reportTries(targets, number, options);
    tally.add(targets);
    if (number < count) await delay(startedAt + number * every - performance.now(), stop);
  }
  return { targets: tally.targets, results: tally.series.map(seriesResult) };
}

/** Asks everything with requests of growing size until one does not pass. */
export async function withSizes(options: ModeOptions, sizes: Sizes): Promise<Finding> {
  const visit: Visit<Row> = async (expected, remote, found, visitOptions) => {
    const tryOnce = (size: number): Promise<Row> =>
      probeRow(expected, remote, found, visitOptions, size);
    const attempt = async (size: number): Promise<Row> => {
      const row = await tryOnce(size);
      // This host learns the path's MTU from a datagram that is lost.
      return passes(row) || expected.target.protocol !== "udp" ? row : await tryOnce(size);
    };
    const least = Math.max(sizes.least, leastSize(expected, options));
    const limit = await findLimit({ ...sizes, least }, attempt, passes);
    return { ...limit.shown, limit };
  };
  const targets = assess(await runRound(options.targets, options, visit), options.strict);
  return { targets, results: resultsOf(targets, 1) };
}

/** Waits, or returns early when the signal aborts. */
async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const timer = setTimeout(end, Math.max(0, milliseconds));
  signal.addEventListener("abort", end, { once: true });
  await promise;
  signal.removeEventListener("abort", end);
  clearTimeout(timer);
}

function passes({ verdict }: Row): boolean {
  return verdict === "ok" || verdict === "slow";
}

async function probeAll(options: ModeOptions): Promise<readonly AssessedTarget[]> {
  return assess(await runRound(options.targets, options, probeRow), options.strict);
}

/** Reports each row of a try to programs; people see only the last try, or a summary. */
function reportTries(
  targets: readonly AssessedTarget[],
  number: number,
  { report }: ModeOptions,
): void {
  for (const row of rowsOf(targets)) report.event(probeEvent(row, number));
}

function resultsOf(targets: readonly AssessedTarget[], number: number): readonly Result[] {
  return rowsOf(targets).map((row) => resultOf(row, number));
}

function rowsOf(targets: readonly AssessedTarget[]): readonly AssessedRow[] {
  return targets.flatMap(({ rows }) => rows);
}
