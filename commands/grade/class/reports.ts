/** The reports of a class: on stdout as each submission is graded, and in files. */
import { type Failure, misuse } from "../../../cli/errors/failure.ts";
import { fileFailure } from "../../../cli/errors/file_failure.ts";
import { type Channels, eventLine } from "../../../cli/output/channels.ts";
import { writeReport } from "../../../cli/output/write_whole.ts";
import { junitDocument } from "../../../cli/reports/junit.ts";
import { tapReport } from "../../../cli/reports/tap.ts";
import { shellWord } from "../../../text/shell.ts";
import type { GradeOptions } from "../options.ts";
import { checkEvent } from "../results.ts";
import type { Graded } from "./graded.ts";
import { type ClassWords, pageOf } from "./page.ts";
import { type Row, rowOf, rowsOf } from "./row.ts";
import { sortedByName } from "./submissions.ts";
import { classSummary, csvOf } from "./table.ts";

/** A class so far, sorted by name. */
interface ClassSoFar {
  readonly all: readonly Graded[];
  readonly rows: readonly Row[];
}

/** A file that is written again after each submission: an interrupted run leaves it whole. */
interface ReportFile {
  /** The flag that names it: `csv`. */
  readonly flag: string;
  readonly path: string;
  text(so: ClassSoFar): string | Promise<string>;
}

/** The files that the flags ask for. */
function filesOf(options: GradeOptions): ReportFile[] {
  const { csv, html, junit, name: run, command = [], subject, level, talk } = options;
  const timestamp = new Date().toISOString().slice(0, 19);
  const suiteName = ["netdemo", "grade", ...run === undefined ? [] : [run]];
  const words = (rows: readonly Row[]): ClassWords => ({
    title: [
      subject.name,
      ...talk === undefined ? [] : [`--talk ${talk}`],
      ...options.udp ? ["--udp"] : [],
    ].join(" ") + `, level ${level}`,
    command: command.map(shellWord).join(" "),
    outcome: classSummary(rows),
  });
  const files: (Omit<ReportFile, "path"> & { readonly path: string | undefined })[] = [
    { flag: "csv", path: csv, text: ({ rows }) => csvOf(rows) },
    { flag: "html", path: html, text: ({ rows, all }) => pageOf(words(rows), rows, all) },
    {
      flag: "junit",
      path: junit,
      text: ({ all }) =>
        junitDocument(
          all.map(({ name, results, problem, elapsedMs }) => ({
            ...{ name: [...suiteName, name], results, aborted: problem, elapsedMs },
          })),
          timestamp,
        ),
    },
  ];
  return files.flatMap((file) => file.path === undefined ? [] : [{ ...file, path: file.path }]);
}

/** What is written of a class while it is graded. */
export interface ClassReports {
  /** Prints what came of a submission, if that is not left to the table. */
  add(graded: Graded): void;
  /** Writes the files with all that was added. */
  write(): Promise<void>;
  /**
   * Writes the files for the last time.
   *
   * @param aborted Why not all submissions are in them, if so.
   * @throws {Failure} if one can't be written.
   */
  end(aborted: string | undefined): Promise<void>;
  /** What was added, sorted by name. */
  soFar(): ClassSoFar;
}

/** Opens the reports of a class. @throws {Failure} of kind `USAGE` if a file can't be written. */
export async function openClassReports(
  options: GradeOptions,
  seed: number,
  { stdout }: Channels,
): Promise<ClassReports> {
  const files = filesOf(options);
  const graded: Graded[] = [];
  const soFar = (): ClassSoFar => {
    const all = sortedByName(graded);
    return { all, rows: rowsOf(all) };
  };
  const write = async ({ flag, path, text }: ReportFile): Promise<void> => {
    const whole = await text(soFar());
    try {
      writeReport(path, whole);
    } catch (cause) {
      const hint = `give --${flag} a path in a folder that exists and can be written to`;
      throw fileFailure("write the report", path, cause, hint);
    }
  };
  // Anything but a file, such as a pipe, gets the report once, when it is complete.
  const plain = files.filter(({ path }) => isPlain(path));
  for (const file of plain) {
    await write(file).catch(({ message, hint, cause }: Failure) => {
      throw misuse(message, { hint, cause });
    });
  }
  const tap = options.tap ? tapReport(stdout) : undefined;
  return {
    soFar,
    add(one) {
      graded.push(one);
      if (options.json) stdout.text(eventLines(one, options, seed));
      const named = one.results.map((result) => ({
        ...result,
        sentence: `${one.name}: ${result.sentence}`,
      }));
      tap?.add(named);
    },
    async write() {
      // One that can't be written now is written again after the next submission, and at the end.
      for (const file of plain) await write(file).catch(() => {});
    },
    async end(aborted) {
      for (const file of files) await write(file);
      await tap?.end({ aborted });
    },
  };
}

/** Whether there is a file at a path, or nothing yet. */
function isPlain(path: string): boolean {
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    return isFile || isDirectory; // a folder is refused when it is written to
  } catch {
    return true;
  }
}

/** The lines of `--json` about a submission: as if it were alone, with its name. */
function eventLines(graded: Graded, options: GradeOptions, seed: number): string {
  const { name: submission, results, problem, offences, containment, elapsedMs } = graded;
  const count = (status: string): number =>
    results.filter((result) => result.status === status).length;
  const { passedAll } = rowOf(graded);
  const events = [
    ...results.map((result) => ({ ...checkEvent(result), submission })),
    {
      event: "summary",
      ...{ submission, ok: passedAll, subject: options.subject.name, level: options.level },
      ...{ checks: results.length, passed: count("pass"), failed: count("fail") },
      ...{ skipped: count("skip"), notJudged: count("not-judged"), seed, containment },
      ...{ reason: problem, offences, exitCode: passedAll ? 0 : 1, elapsedMs },
    } as const,
  ];
  return events.map((event) => `${eventLine(event)}\n`).join("");
}
