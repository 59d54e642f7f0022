import { asFailure, Failure, misuse } from "../../cli/errors/failure.ts";
import type { Channels } from "../../cli/output/channels.ts";
import type { Report } from "../../cli/reports/report.ts";
import { exitCodeOf, watchStopSignals } from "../../cli/signals.ts";
import { countByStatus, type Outcome } from "../../suite/outcome.ts";
import { isReported } from "../../suite/selection.ts";
import type { TestFacts } from "../../suite/test.ts";
import { locate } from "./locate.ts";
import type { GradeOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { type Container, type Containment, openContainer } from "./program/containment.ts";
import { isExecutable } from "./program/system.ts";
import { CannotStart } from "./program/child.ts";
import { Ports } from "./program/ports.ts";
import { seededRandom } from "../../protocol/random.ts";
import { type GradeResult, openReports, resultOf } from "./results.ts";
import { levels } from "./subjects.ts";

/** As timeout(1) exits. */
const EXIT_TIMEOUT = 124;
/** Exit codes for programs that can't be started, as in shells. */
const EXIT_NOT_EXECUTABLE = 126;
const EXIT_NOT_FOUND = 127;

/** Examines a program and reports; returns the exit code. @throws {Failure} */
export async function grade(options: GradeOptions, channels: Channels): Promise<number> {
  const seed = options.seed ?? Math.floor(Math.random() * 1_000_000);
  const target = await locate(options);
  using signals = watchStopSignals();
  using ports = await Ports.reserve();
  const onWait = (port: number): void => {
    channels.stderr.line(`port ${port} is held by a closed connection: waiting until it is free`);
  };
  const random = seededRandom(seed);
  await using stack = new AsyncDisposableStack();
  const container = await containerFor(options);
  if (container !== undefined) stack.defer(() => container.remove());
  const prepared = stack.use(
    prepare({ ...options, random, ports, container, onWait, fixedPort: options.port, target }),
  );
  refuseUnreached(options, prepared.tests);
  const report = openReports(options, prepared.tests, channels);
  const timeLimit = new AbortController();
  const timer = setTimeout(() => timeLimit.abort(), options["max-time"]);
  const startedAt = performance.now();
  const outcomes: Outcome[] = [];
  const take = (outcome: Outcome): void => {
    outcomes.push(outcome);
    if (isReported(outcome, options.only)) report.add([resultOf(outcome)]);
  };
  const signal = AbortSignal.any([timeLimit.signal, signals.first]);
  try {
    for await (const outcome of prepared.outcomes(signal)) take(outcome);
  } catch (error) {
    const failure = error instanceof CannotStart ? cannotStart(error, options) : asFailure(error);
    await report.end({ aborted: failure.message });
    throw failure;
  } finally {
    clearTimeout(timer);
  }
  // What is left of the program ends before the marks are written for the last time.
  await stack.disposeAsync();
  const cut = signals.first.aborted ? "signal" : timeLimit.signal.aborted ? "time" : undefined;
  if (cut !== undefined) notRun(prepared.tests, outcomes, whyCut(cut, options)).forEach(take);
  return await conclude(outcomes.filter((outcome) => isReported(outcome, options.only)), {
    ...{ options, seed, startedAt, cut, report },
    containment: container?.kind,
    signals: signals.first,
  });
}

/** What the program runs in: nothing if it runs already, or can't be started anyway. */
async function containerFor(options: GradeOptions): Promise<Container | undefined> {
  const [program] = options.command ?? [];
  if (program === undefined) return undefined;
  return await isExecutable(program) ? await openContainer(options["run-as"]) : undefined;
}

/** @throws {Failure} of kind `USAGE` if a check of --only would not run. */
function refuseUnreached(
  { only, skip, level, subject: { talk, lines, isFile } }: GradeOptions,
  tests: readonly TestFacts[],
): void {
  const missing = [...only ?? []].find((id) => !tests.some((test) => test.id === id));
  if (missing === undefined) return;
  if (skip?.has(missing)) throw misuse(`--skip leaves out the check ${missing}`);
  if (!isFile && talk === lines && missing === "no-newline") {
    throw misuse("--lines leaves out the check no-newline");
  }
  throw misuse(`--only: ${missing} is not a check of --level ${level}`, {
    hint: "netdemo grade --list shows the level of each check; --level stream has all of them",
  });
}

function notRun(tests: readonly TestFacts[], done: readonly Outcome[], why: string): Outcome[] {
  const finished = new Set(done.map(({ test }) => test.id));
  const detail = `not judged: ${why}`;
  return tests.filter(({ id }) => !finished.has(id))
    .map((test) => ({ test, status: "not-judged", detail, elapsedMs: 0 }));
}

/** Why the examination ended before all checks had run. */
type Cut = "signal" | "time";

function whyCut(cut: Cut, { "max-time": maxTime }: GradeOptions): string {
  return cut === "time"
    ? `the examination did not finish within ${maxTime / 1_000} s`
    : "the examination was interrupted";
}

async function conclude(outcomes: readonly Outcome[], run: {
  readonly options: GradeOptions;
  readonly seed: number;
  /** How the program was contained, if it was started. */
  readonly containment: Containment | undefined;
  readonly startedAt: number;
  readonly cut: Cut | undefined;
  readonly report: Report<GradeResult>;
  readonly signals: AbortSignal;
}): Promise<number> {
  const { options, seed, containment, startedAt, cut, report, signals } = run;
  const counts = countByStatus(outcomes);
  const { pass: passed, fail: failed, skip: skipped, "not-judged": notJudged } = counts;
  const elapsedMs = Math.round((performance.now() - startedAt) * 10) / 10;
  const failure = failureOf(outcomes, options, cut);
  const ownCode = failure === undefined ? 0 : cut === "time" ? EXIT_TIMEOUT : 1;
  const exitCode = cut === "signal" ? exitCodeOf(signals.reason) : ownCode;
  const byLevel = levels.slice(0, levels.indexOf(options.level) + 1).flatMap((level) => {
    const own = outcomes.filter(({ test, status }) => status !== "skip" && test.level === level);
    if (own.length === 0) return [];
    return `${level} ${own.filter(({ status }) => status === "pass").length} of ${own.length}`;
  });
  await report.end({
    aborted: cut && whyCut(cut, options),
    text: `${byLevel.join(", ") || "nothing was checked"} (seed ${seed}, ${
      (elapsedMs / 1_000).toFixed(1)
    } s)`,
    event: {
      event: "summary",
      ...{
        ok: exitCode === 0,
        subject: options.subject.name,
        level: options.level,
        checks: outcomes.length,
        passed,
        failed,
        skipped,
        notJudged,
        seed,
        containment,
        exitCode,
        failure: failure?.kind,
        elapsedMs,
      },
    },
  });
  if (failure !== undefined && cut !== "signal") throw failure;
  return exitCode;
}

function failureOf(
  outcomes: readonly Outcome[],
  options: GradeOptions,
  cut: Cut | undefined,
): Failure | undefined {
  const first = outcomes.find(({ status }) => status === "fail");
  if (cut === "time") {
    return new Failure("TIMEOUT", whyCut(cut, options), {
      hint: "give it more time: --max-time 5m",
    });
  }
  if (first === undefined) return undefined;
  const { fail: failed, "not-judged": notJudged } = countByStatus(outcomes);
  const also = notJudged === 0 ? "" : `, ${notJudged} not judged`;
  const checks = outcomes.length === 1 ? "check" : "checks";
  return new Failure("ERROR", `${failed} of ${outcomes.length} ${checks} failed${also}`, {
    hint: (failed > 1 ? "begin with the first one; " : "") +
      `netdemo grade --explain ${first.test.id}`,
  });
}

/** The failure of a program that can't be started, with the exit code that a shell would give. */
function cannotStart(cause: CannotStart, { command = [] }: GradeOptions): Failure {
  const { message, found } = cause;
  const isOneWord = command.length === 1 && command[0]!.includes(" ");
  const hint = command[0] === "python"
    ? "Python is often called python3: netdemo grade ... -- python3 program.py"
    : found
    ? "make it executable (chmod +x), or name the interpreter: -- python3 program.py"
    : isOneWord
    ? "leave out the quotes: the program and its arguments are separate words"
    : "check the spelling; a program in this folder is called ./program";
  const exitCode = found ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
  return new Failure("ERROR", message, { cause, hint, exitCode });
}
