import type { Report, Result } from "../../cli/reports/report.ts";
import { type Failure, misuse } from "../../cli/errors/failure.ts";
import { fileFailure } from "../../cli/errors/file_failure.ts";
import { writeReport } from "../../cli/output/write_whole.ts";
import type { TestFacts } from "../../suite/test.ts";

/**
 * Gradescope's results.json (gradescope-autograders.readthedocs.io): one point for each check. It is rewritten after
 * each of them, so that an interrupted run leaves one, too.
 *
 * @throws {Failure} of kind `USAGE` if the file can't be written.
 */
export function gradescopeReport(path: string, planned: readonly TestFacts[]): Report {
  const startedAt = performance.now();
  const done = new Map<string, Result>();
  const write = (output?: string): void => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const tests = planned.map((check, index) => testOf(check, index, done.get(check.id)));
    const results = { execution_time: Math.ceil(seconds), output, tests };
    writeReport(path, `${JSON.stringify(results, null, 2)}\n`);
  };
  const hint = "give --gradescope a path in a folder that exists and can be written to";
  const failure = (cause: unknown): Failure =>
    fileFailure("write Gradescope's file", path, cause, hint);
  try {
    write();
  } catch (cause) {
    throw misuse(failure(cause).message, { cause, hint });
  }
  return {
    add(results) {
      for (const result of results) done.set(result.id, result);
      try {
        write();
      } catch {
        // It is written again after the next check, and at the end.
      }
    },
    // deno-lint-ignore require-await -- a failure rejects, as it does in the other reports
    async end({ aborted }) {
      try {
        write(aborted);
      } catch (cause) {
        throw failure(cause);
      }
    },
  };
}

/** A check as Gradescope has it, with its result if it has run. */
function testOf({ id, sentence }: TestFacts, index: number, result: Result | undefined) {
  const isSkipped = result?.status === "skip";
  const passed = result?.status === "pass" || isSkipped;
  return {
    name: `${id}: ${sentence}`,
    number: String(index + 1),
    score: result?.status === "pass" ? 1 : 0,
    max_score: isSkipped ? 0 : 1,
    status: passed ? "passed" : "failed",
    output: result === undefined ? "not judged: the examination ended first" : outputOf(result),
  };
}

function outputOf({ detail = "", more }: Result): string {
  if (more === undefined) return detail;
  return Object.entries(more).map(([name, value]) => `${name.padEnd(5)} ${value}`).join("\n");
}
