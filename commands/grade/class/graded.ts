/** What came of a submission. It is plain data, so that an interrupted run can keep it. */
import {
  listOf,
  milliseconds,
  type ObjectOf,
  objectOf,
  optional,
  text,
} from "../../../cli/output/event_fields.ts";
import { asFailure, Failure } from "../../../cli/errors/failure.ts";
import { examine } from "../examine.ts";
import type { GradeOptions } from "../options.ts";
import { CannotStart } from "../program/child.ts";
import { gradeResult, resultOf } from "../results.ts";
import { missingFile, type Submission } from "./submissions.ts";

const fields = {
  /** Name of the submission. */
  name: text,
  results: listOf(gradeResult),
  /** Why it could not be examined, or not to the end. */
  problem: optional(text),
  /** What it did to the machine that it must not do. */
  offences: listOf(text),
  /** How it was contained, if it was started. */
  containment: optional(text),
  elapsedMs: milliseconds,
};

/** A submission that was graded. */
export type Graded = ObjectOf<typeof fields>;
/** Checks a {@linkcode Graded} that was kept in a file. */
export const graded = objectOf(fields);

/**
 * Grades a submission as if it were alone.
 *
 * @param how What an examination needs besides.
 * @returns `undefined` if it was interrupted.
 * @throws {Failure} if the command can't be started in any submission.
 */
export async function gradeOne(
  { name, place, problem }: Submission,
  options: GradeOptions,
  how: { readonly seed: number; readonly mark: string; readonly stop: AbortSignal },
): Promise<Graded | undefined> {
  if (problem !== undefined) return ungraded(name, problem);
  const found = await examine(options, { ...how, place }).catch((error) => asFailure(error));
  const failure = found instanceof Failure ? found : found.failure;
  if (failure !== undefined && concernsAll(failure, options)) throw failure;
  if (found instanceof Failure) return ungraded(name, found.message);
  const { outcomes, cut, offences, containment, elapsedMs } = found;
  if (cut === "signal") return undefined;
  const late = cut === "time" ? [`took longer than ${options["max-time"] / 1_000} s`] : [];
  const gone = isThere(place.folder) ? [] : ["deleted the folder that it runs in"];
  const hasPassed = outcomes.some(({ status }) => status === "pass");
  const missing = hasPassed || gone.length > 0
    ? undefined
    : missingFile(place, options.command ?? []);
  return {
    name,
    results: outcomes.map(resultOf),
    problem: missing ?? failure?.message,
    offences: [...late, ...offences, ...gone],
    containment,
    elapsedMs,
  };
}

/** Whether no submission can be graded: wrong usage, or a program that is missing on this machine. */
function concernsAll({ kind, cause }: Failure, { command: [program = ""] = [] }: GradeOptions) {
  if (kind === "USAGE") return true;
  return cause instanceof CannotStart && !/[\\/]|\{(?:dir|file)\}/.test(program);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** A submission that was not examined. */
export function ungraded(name: string, problem: string): Graded {
  return { name, results: [], problem, offences: [], elapsedMs: 0 };
}
