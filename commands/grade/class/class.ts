/** Grades a whole class: each submission in a folder, as if it were alone. */
import { Failure, misuse } from "../../../cli/errors/failure.ts";
import { type Channels, eventLine } from "../../../cli/output/channels.ts";
import { displayOf } from "../../../cli/output/terminal.ts";
import { exitCodeOf, watchStopSignals } from "../../../cli/signals.ts";
import { refuseContradictions } from "../../../cli/reports/open_report.ts";
import { systemWords } from "../../../cli/system_words.ts";
import { counted } from "../../../text/counted.ts";
import { visible } from "../../../text/visible.ts";
import { locate } from "../locate.ts";
import type { GradeOptions } from "../options.ts";
import { gradeOne, ungraded } from "./graded.ts";
import { Progress } from "./progress.ts";
import { ClassRecord, RECORD_NAME } from "./record.ts";
import { type ClassReports, openClassReports } from "./reports.ts";
import { firstFailures, type Row } from "./row.ts";
import { type ClassFolder, readClass, type Submission } from "./submissions.ts";
import { classSummary, tableWithNotes } from "./table.ts";

/** How often netdemo may end while it grades a submission before that one is left out. */
const MAX_KILLED = 2;
/** Most names in a notice. */
const MAX_NAMES = 5;

/** Grades the class in `options.class`; returns the exit code. @throws {Failure} */
export async function gradeClass(options: GradeOptions, channels: Channels): Promise<number> {
  const { command = [], csv, html, junit, class: folder = "" } = options;
  refuseContradictions(options);
  refuseWhatIsForOne(options);
  await locate(options);
  const takesFiles = command.some((word) => word.includes("{file}"));
  const files = [csv, html, junit].filter((path) => path !== undefined);
  const found = readClass(folder, takesFiles, files);
  notePassedOver(found, channels);
  const record = new ClassRecord(
    found.path,
    options,
    (reason) =>
      channels.stderr.line(`nothing is kept for --resume: ${found.path}/${RECORD_NAME}: ${reason}`),
  );
  const reports = await openClassReports(options, record.seed, channels);
  using signals = watchStopSignals();
  const startedAt = performance.now();
  await record.endLeftovers();
  const run = { options, record, reports, stop: signals.first, channels };
  await gradeAll(found.submissions, run).catch((error) => {
    record.undo();
    throw error;
  });
  const elapsedMs = Math.round((performance.now() - startedAt) * 10) / 10;
  return await conclude(found.submissions.length, {
    ...{ options, seed: record.seed, reports, channels, elapsedMs },
    signal: signals.first.aborted ? signals.first.reason : undefined,
  });
}

/** @throws {Failure} of kind `USAGE` for flags that make no sense for a class. */
function refuseWhatIsForOne({ target, command = [], port, jobs, gradescope }: GradeOptions): void {
  if (target !== undefined) {
    throw misuse("a class has no TARGET: netdemo starts each submission", {
      hint: `a command goes after --: -- ${systemWords().python} server.py "{port}"`,
    });
  }
  if (gradescope !== undefined) {
    throw misuse("--gradescope is for one submission", {
      hint: "--csv, --html, --junit and --json report a class",
    });
  }
  const takesPort = command.some((word) => word.includes("{port}"));
  if (jobs === 1 || command.length === 0 || (takesPort && port === undefined)) return;
  throw misuse("with --jobs, each program must take a port of its own", {
    hint: port === undefined
      ? 'write "{port}" in the command; env "PORT={port}" COMMAND sets a variable to it'
      : 'write "{port}" in the command instead of --port',
  });
}

/** Says what is in the folder and is no submission. */
function notePassedOver({ hidden, files }: ClassFolder, { stderr }: Channels): void {
  const note = (names: readonly string[], why: string): void => {
    if (names.length === 0) return;
    const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : "";
    stderr.line(
      `passed over: ${names.slice(0, MAX_NAMES).map(visible).join(", ")}${more} (${why})`,
    );
  };
  note(hidden.filter((name) => name !== RECORD_NAME), "hidden");
  note(files, "files, and the command has no {file}");
}

/** What the grading of a class needs. */
interface ClassRun {
  readonly options: GradeOptions;
  readonly record: ClassRecord;
  readonly reports: ClassReports;
  readonly stop: AbortSignal;
  readonly channels: Channels;
}

/** Grades all, `--jobs` at a time; those during which netdemo was ended come last, one by one. */
async function gradeAll(submissions: readonly Submission[], run: ClassRun): Promise<void> {
  const { options, record, reports } = run;
  using progress = new Progress(submissions.length, run.channels.stderr);
  const left: Submission[] = [];
  for (const submission of submissions) {
    const known = record.graded.get(submission.name);
    if (known === undefined) left.push(submission);
    else {
      reports.add(known);
      progress.done(submission.name);
    }
  }
  await reports.write();
  const isSuspect = ({ name }: Submission): boolean => record.killed.has(name);
  await inParallel(left.filter((one) => !isSuspect(one)), options.jobs, run, progress);
  await inParallel(left.filter(isSuspect), 1, run, progress);
}

async function inParallel(
  submissions: readonly Submission[],
  jobs: number,
  run: ClassRun,
  progress: Progress,
): Promise<void> {
  const waiting = [...submissions];
  const failed = new AbortController();
  const stop = AbortSignal.any([run.stop, failed.signal]);
  const worker = async (): Promise<void> => {
    while (!stop.aborted) {
      const submission = waiting.shift();
      if (submission === undefined) return;
      progress.begin(submission.name);
      if (await gradeNext(submission, { ...run, stop })) progress.done(submission.name);
    }
  };
  const workers = Array.from({ length: jobs }, () =>
    worker().catch((error) => {
      failed.abort();
      throw error;
    }));
  for (const ended of await Promise.allSettled(workers)) {
    if (ended.status === "rejected") throw ended.reason;
  }
}

/** Returns whether it was graded, and not interrupted. */
async function gradeNext(submission: Submission, run: ClassRun): Promise<boolean> {
  const { options, record, reports, stop } = run;
  const { name } = submission;
  record.begin(name);
  const killed = record.killed.get(name) ?? 0;
  const problem = killed >= MAX_KILLED
    ? `netdemo was ended ${killed} times while it was graded; --run-as keeps it from doing that`
    : submission.problem;
  const mark = `${record.mark}-${crypto.randomUUID()}`;
  const { seed } = record;
  const graded = problem === undefined
    ? await gradeOne(submission, options, { seed, mark, stop })
    : ungraded(name, problem);
  if (graded === undefined) return false;
  record.finish(graded);
  reports.add(graded);
  await reports.write();
  return true;
}

/** Reports what came of the class; returns the exit code. @throws {Failure} if not all passed. */
async function conclude(total: number, run: {
  readonly options: GradeOptions;
  readonly seed: number;
  readonly reports: ClassReports;
  readonly channels: Channels;
  readonly elapsedMs: number;
  /** The signal that interrupted it. */
  readonly signal: unknown;
}): Promise<number> {
  const { options, seed, reports, channels: { stdout, stderr }, elapsedMs, signal } = run;
  await stderr.flush(); // a line of progress must not stand before the table
  const { rows } = reports.soFar();
  const passedAll = rows.filter((row) => row.passedAll).length;
  const left = total - rows.length;
  const exitCode = signal === undefined ? (passedAll === total ? 0 : 1) : exitCodeOf(signal);
  await reports.end(left === 0 ? undefined : `${left} of ${total} submissions were not graded`);
  if (options.json) {
    const event = {
      event: "summary",
      ...{ ok: exitCode === 0, name: options.name, subject: options.subject.name },
      ...{ level: options.level, submissions: rows.length, passedAll, seed, exitCode, elapsedMs },
    } as const;
    stdout.text(`${eventLine(event)}\n`);
  } else if (!options.tap && rows.length > 0) {
    const end = `${classSummary(rows)} (seed ${seed}, ${(elapsedMs / 1_000).toFixed(1)} s)`;
    stdout.text(`${[...tableWithNotes(rows, displayOf(Deno.stdout)), "", end].join("\n")}\n`);
  }
  await stdout.flush();
  if (signal !== undefined && left > 0) {
    stderr.line(`interrupted; ${left} of ${total} are left: go on with --resume`);
  }
  if (signal === undefined && exitCode !== 0) throw notAllPassed(rows, total - passedAll);
  return exitCode;
}

function notAllPassed(rows: readonly Row[], failed: number): Failure {
  const [[id] = []] = firstFailures(rows);
  const message = `${failed} of ${counted(rows.length, "submission")} did not pass all checks`;
  return new Failure("ERROR", message, {
    hint: id === undefined ? undefined : `netdemo grade --explain ${id}`,
  });
}
