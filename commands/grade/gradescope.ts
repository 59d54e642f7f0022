import type { Result } from "../../cli/reports/report_flags.ts";
import { Failure } from "../../cli/errors/failure.ts";
import { writeWhole } from "../../cli/reports/write_whole.ts";

/** A test in Gradescope's results.json (gradescope-autograders.readthedocs.io). */
interface GradescopeTest {
  readonly name: string;
  readonly number: string;
  readonly score: number;
  readonly max_score: number;
  readonly status: "passed" | "failed";
  readonly output: string;
}

/** What the report says of a check that has not run yet. */
export interface Planned {
  readonly id: string;
  readonly sentence: string;
}

/**
 * Gradescope's results.json: one point for each check. It is rewritten after
 * each of them, so that an interrupted run leaves one, too.
 */
export class GradescopeReport {
  readonly #path: string;
  readonly #planned: readonly Planned[];
  readonly #done = new Map<string, Result>();
  readonly #startedAt = performance.now();
  #output: string | undefined;

  /** @throws {Failure} of kind `USAGE` if the file can't be written. */
  constructor(path: string, planned: readonly Planned[]) {
    this.#path = path;
    this.#planned = planned;
    try {
      this.#write();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Failure("USAGE", `--gradescope: cannot write '${path}': ${why}`, {
        cause,
        hint: "give a path in a folder that exists and may be written to",
      });
    }
  }

  /** Adds a result and rewrites the file. */
  add(result: Result): void {
    this.#done.set(result.id, result);
    this.#write();
  }

  /** Says why the checks that have not run never will. */
  abort(why: string): void {
    this.#output = why;
    this.#write();
  }

  #write(): void {
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    const tests = this.#planned.map((planned, index) =>
      testOf(planned, index, this.#done.get(planned.id))
    );
    const text = JSON.stringify(
      { execution_time: Math.ceil(seconds), output: this.#output, tests },
      null,
      2,
    );
    writeWhole(this.#path, `${text}\n`);
  }
}

function testOf(
  { id, sentence }: Planned,
  index: number,
  result: Result | undefined,
): GradescopeTest {
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
