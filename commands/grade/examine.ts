import {
  type Check,
  type CheckFacts,
  type Evidence,
  Finding,
  forService,
  type Level,
  levels,
  type Outcome,
  type ServiceName,
  Skipped,
} from "./check.ts";
import { isMachineBusy } from "./system.ts";

/** Milliseconds that a check may take on top of its timeouts, unless it says otherwise. */
const LIMIT_MS = 10_000;
/** Factor by which timeouts grow on a busy machine. */
const PATIENCE = 4;
/** Most times that a check waits in vain for an answer. */
const WAITS = 4;

/** What {@linkcode examine} needs of a program. */
export interface Examined extends AsyncDisposable {
  /** Gets ready for the next check. */
  beginCheck(): void;
  /** Called after a check failed: the program may be broken. */
  doubt(): void;
  /** Ends the program and whatever a check still does with it, until the next check begins. */
  cancel(): Promise<void>;
  /** The program's last words on stderr since the check began. */
  said(): Promise<string | undefined>;
  /** Whether it has stopped answering and can't be restarted. */
  isGone(): Promise<boolean>;
  readonly examination: { readonly timeout: number };
  readonly starter: { patience: number };
}

/** Returns a table's checks for a service, up to a level, the easiest level first. */
export function checksOf<D>(
  table: readonly Check<D>[],
  service: ServiceName,
  level: Level,
): Check<D>[] {
  const known = table.filter(({ services }) => services.includes(service));
  return levels.slice(0, levels.indexOf(level) + 1).flatMap((each) =>
    known.filter((check) => forService(check.level, service) === each)
  );
}

/** Returns the chosen checks and those that they need, in the table's order. */
export function withNeeds<D>(all: readonly Check<D>[], only: ReadonlySet<string>): Check<D>[] {
  const wanted = new Set(only);
  for (const check of all.toReversed()) {
    if (wanted.has(check.id)) { for (const need of check.needs) wanted.add(need); }
  }
  return all.filter(({ id }) => wanted.has(id));
}

/**
 * Runs the checks, one after another.
 *
 * @param signal Aborts between two checks, and within one.
 */
export async function* examine<D extends Examined>(
  checks: readonly Check<D>[],
  program: D,
  signal: AbortSignal,
): AsyncGenerator<Outcome> {
  const failed = new Map<string, string>();
  let lastFailed: string | undefined;
  let isGone = false;
  for (const check of checks) {
    if (signal.aborted) return;
    const failedNeed = isGone
      ? lastFailed
      : check.needs.map((id) => failed.get(id)).find((id) => id !== undefined);
    if (failedNeed !== undefined) {
      failed.set(check.id, failedNeed);
      yield notJudged(check, failedNeed);
      continue;
    }
    const outcome = await runCheck(check, program, signal);
    if (signal.aborted) return;
    const known = failed.get(outcome.evidence?.blames ?? "");
    if (known !== undefined) {
      failed.set(check.id, known);
      yield notJudged(check, known);
      continue;
    }
    yield outcome;
    if (outcome.status !== "fail") continue;
    failed.set(check.id, check.id);
    lastFailed = check.id;
    isGone = await program.isGone();
  }
}

/** The outcome of a check that can't be judged because another one failed. */
export function notJudged(check: CheckFacts, failed: string): Outcome {
  return { check, status: "not-judged", reason: `not judged: see ${failed}`, elapsedMs: 0 };
}

async function runCheck<D extends Examined>(
  check: Check<D>,
  program: D,
  signal: AbortSignal,
): Promise<Outcome> {
  const startedAt = performance.now();
  const elapsed = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
  try {
    await runFairly(check, program, signal);
    return { check, status: "pass", elapsedMs: elapsed() };
  } catch (error) {
    if (error instanceof Skipped) {
      program.doubt();
      return { check, status: "skip", reason: error.message, elapsedMs: elapsed() };
    }
    if (!(error instanceof Finding)) throw error;
    const said = error.evidence.said ?? await program.said();
    program.doubt();
    return {
      check,
      status: "fail",
      evidence: error.evidence,
      ...(said !== undefined && { said }),
      elapsedMs: elapsed(),
    };
  }
}

/**
 * Runs a check. If it fails because nothing arrived in time, and the machine is overloaded, runs it
 * once more with a fresh program and more patience.
 */
async function runFairly<D extends Examined>(
  check: Check<D>,
  program: D,
  signal: AbortSignal,
): Promise<void> {
  try {
    program.beginCheck();
    await withLimit(check, program, signal);
  } catch (error) {
    const isSilence = error instanceof Finding && error.evidence.isSilence === true;
    if (!isSilence || signal.aborted || !await isMachineBusy()) throw error;
    program.doubt();
    program.starter.patience = PATIENCE;
    try {
      program.beginCheck();
      await withLimit(check, program, signal);
    } finally {
      program.starter.patience = 1;
    }
  }
}

/** Runs a check. If it takes too long, ends the program, and the check with it. */
async function withLimit<D extends Examined>(
  check: Check<D>,
  program: D,
  signal: AbortSignal,
): Promise<void> {
  const limit = (check.limit ?? LIMIT_MS) + WAITS * program.examination.timeout;
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  let isStopped = false;
  const stop = (evidence: Evidence): void => {
    isStopped = true;
    reject(new Finding(evidence));
  };
  const timer = setTimeout(
    () => stop({ saw: `the check was still running after ${limit / 1_000} s` }),
    limit,
  );
  const abort = (): void => stop({ saw: "the examination was stopped" });
  signal.addEventListener("abort", abort, { once: true });
  const running = check.run(program);
  try {
    await Promise.race([running, stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    if (isStopped) {
      await program.cancel();
      await running.catch(() => {});
    }
  }
}
