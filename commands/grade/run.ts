import { Failure } from "../../cli/errors/failure.ts";
import type { Channels } from "../../cli/output/channels.ts";
import { breakOff, endReport, type Report } from "../../cli/reports/report.ts";
import { exitCodeOf, watchStopSignals } from "../../cli/signals.ts";
import { countByStatus, type Outcome } from "../../suite/outcome.ts";
import { type Cut, type Examination, examine, whyCut } from "./examine.ts";
import { locate } from "./locate.ts";
import type { GradeOptions } from "./options.ts";
import { type GradeResult, isLeft, openReports, resultOf } from "./results.ts";
import { levels } from "./subjects.ts";
import { counted } from "../../text/counted.ts";

/** As timeout(1) exits. */
const EXIT_TIMEOUT = 124;

/** Examines a program and reports; returns the exit code. @throws {Failure} */
export async function grade(options: GradeOptions, channels: Channels): Promise<number> {
  const seed = options.seed ?? Math.floor(Math.random() * 1_000_000);
  const onWait = (port: number): void =>
    channels.stderr.line(`port ${port} is held by a closed connection: waiting until it is free`);
  const target = await locate(options, undefined, onWait);
  using signals = watchStopSignals();
  let report = undefined as Report<GradeResult> | undefined;
  const examination = await examine(options, {
    ...{ seed, target, onWait, stop: signals.first },
    begin: (tests) => report = openReports(options, tests, channels),
    take: (outcome) => report?.add([resultOf(outcome)]),
  });
  const { failure } = examination;
  if (report === undefined) throw failure ?? new TypeError("no report was opened");
  if (failure !== undefined) await breakOff(report, failure);
  return await conclude(examination, { options, seed, report, signals: signals.first });
}

async function conclude(
  { outcomes, cut, containment, elapsedMs }: Examination,
  { options, seed, report, signals }: {
    readonly options: GradeOptions;
    readonly seed: number;
    readonly report: Report<GradeResult>;
    readonly signals: AbortSignal;
  },
): Promise<number> {
  const counts = countByStatus(outcomes);
  const { pass: passed, fail: failed, skip: skipped, "not-judged": notJudged } = counts;
  const failure = failureOf(outcomes, options, cut);
  const ownCode = failure === undefined ? 0 : cut === "time" ? EXIT_TIMEOUT : 1;
  const exitCode = cut === "signal" ? exitCodeOf(signals.reason) : ownCode;
  const left = cut && `; ${outcomes.filter(isLeft).length} not judged: ${whyCut(cut, options)}`;
  const summary = {
    aborted: cut && whyCut(cut, options),
    text: `${points(outcomes) || "nothing was checked"}${left ?? ""} (seed ${seed}, ${
      (elapsedMs / 1_000).toFixed(1)
    } s)`,
    event: {
      event: "summary",
      ...{ ok: exitCode === 0, subject: options.subject.name, level: options.level },
      ...{ checks: outcomes.length, passed, failed, skipped, notJudged, seed, containment },
      ...{ exitCode, failure: failure?.kind, elapsedMs },
    },
  } as const;
  await endReport(report, summary, cut === "signal" ? undefined : failure);
  return exitCode;
}

/** `lesson 5 of 5, robust 3 of 12`: those that passed, of those that were not skipped. */
function points(outcomes: readonly Outcome[]): string {
  return levels.flatMap((level) => {
    const own = outcomes.filter(({ test, status }) => status !== "skip" && test.level === level);
    if (own.length === 0) return [];
    return `${level} ${own.filter(({ status }) => status === "pass").length} of ${own.length}`;
  }).join(", ");
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
  return new Failure("ERROR", `${failed} of ${counted(outcomes.length, "check")} failed${also}`, {
    hint: (failed > 1 ? "begin with the first one; " : "") +
      `netdemo grade --explain ${first.test.id}`,
  });
}
