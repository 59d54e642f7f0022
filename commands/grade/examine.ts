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

/** Milliseconds that a check may take beside the time-outs in it, unless it says otherwise. */
const LIMIT_MS = 10_000;
/** How many times as long a program is given on a busy machine. */
const PATIENCE = 4;
/** Times that a check waits for an answer in vain, at most. */
const WAITS = 4;

/** A program under examination, between two checks. */
export interface Examined extends AsyncDisposable {
  /** Gets ready for the next check. */
  beginCheck(): void;
  /** The check has failed: the program may not be well. */
  doubt(): void;
  /** Ends the program and whatever a check still does with it, until the next check begins. */
  cancel(): Promise<void>;
  /** The program's last words on stderr since the check began. */
  said(): Promise<string | undefined>;
  /** Whether it answers nobody any more, and can't be started afresh. */
  isGone(): Promise<boolean>;
  readonly examination: { readonly timeout: number };
  readonly starter: { patience: number };
}

/** The checks of a table that a level has for a service, gentle first. */
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

/** The chosen checks and those that they stand on, in the table's order. */
export function withGrounds<D>(all: readonly Check<D>[], only: ReadonlySet<string>): Check<D>[] {
  const wanted = new Set(only);
  for (const check of all.toReversed()) {
    if (wanted.has(check.id)) { for (const need of check.needs) wanted.add(need); }
  }
  return all.filter(({ id }) => wanted.has(id));
}

/**
 * Makes the checks, one after another.
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
    const ground = isGone
      ? lastFailed
      : check.needs.map((id) => failed.get(id)).find((id) => id !== undefined);
    if (ground !== undefined) {
      failed.set(check.id, ground);
      yield notJudged(check, ground);
      continue;
    }
    const outcome = await make(check, program, signal);
    if (signal.aborted) return;
    yield outcome;
    if (outcome.status !== "fail") continue;
    failed.set(check.id, check.id);
    lastFailed = check.id;
    isGone = await program.isGone();
  }
}

/** A check that can't be made since another has failed. */
export function notJudged(check: CheckFacts, ground: string): Outcome {
  return { check, status: "not-judged", reason: `not judged: see ${ground}`, elapsedMs: 0 };
}

async function make<D extends Examined>(
  check: Check<D>,
  program: D,
  signal: AbortSignal,
): Promise<Outcome> {
  const startedAt = performance.now();
  const elapsed = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
  try {
    await makeJustly(check, program, signal);
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
 * Makes a check. Where one fails since nothing came in time, and the machine has more to do than it
 * can, it is made once more in a fresh program, with more patience.
 */
async function makeJustly<D extends Examined>(
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

/** A program that holds a check up for too long is ended, and the check with it. */
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
    () => stop({ saw: `the check was not over after ${limit / 1_000} s` }),
    limit,
  );
  const abort = (): void => stop({ saw: "the examination was ended" });
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
