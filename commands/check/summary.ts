import type { EventOf } from "../../cli/output/events.ts";
import { exitCodes, Failure } from "../../cli/errors/failure.ts";
import { rounded } from "../../cli/output/report.ts";
import type { AssessedTarget } from "./assess.ts";
import { hintFor } from "./words.ts";

/** How many targets a message names. */
const NAMED = 5;

/** The failure that a check ends with: that of the first target that is not as expected. */
export function failureOfCheck(targets: readonly AssessedTarget[]): Failure | undefined {
  const failed = targets.filter(({ asExpected }) => !asExpected);
  const [first] = failed;
  if (first?.failure === undefined) return undefined;
  const names = failed.slice(0, NAMED).map(({ expected }) => expected.text).join(", ");
  const more = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : "";
  const verb = failed.length === 1 ? "is" : "are";
  const message = targets.length === 1
    ? `${names} is not as expected`
    : `${failed.length} of ${targets.length} targets ${verb} not as expected: ${names}${more}`;
  return new Failure(first.failure, message, { hint: hintOf(first) });
}

function hintOf({ expected, rows, verdict }: AssessedTarget): string {
  const uncontrolled = rows.every(({ status, asExpected }) => status === "pass" || asExpected);
  return uncontrolled
    ? "also check something that answers at the same address: a host that is off looks the same"
    : hintFor(expected, verdict);
}

/** Notes on blocks at addresses where nothing answered: they may have another cause. */
export function controlNotes(targets: readonly AssessedTarget[]): readonly string[] {
  const notes = targets.flatMap(({ rows }) => rows).flatMap(({ control, remote }) => {
    if (control !== false || remote === undefined) return [];
    const [where, reason] = "path" in remote
      ? [remote.path, "a typo in the path"]
      : [remote.hostname, "a host that is off"];
    return [`nothing answered at ${where} in this run: ${reason} looks the same`];
  });
  return [...new Set(notes)];
}

/** The last line of `--json`. */
export function summaryEvent(
  targets: readonly AssessedTarget[],
  failure: Failure | undefined,
  elapsedMs: number,
): EventOf<"summary"> {
  return {
    event: "summary",
    ok: failure === undefined,
    targets: targets.length,
    asExpected: targets.filter(({ asExpected }) => asExpected).length,
    exitCode: failure === undefined ? 0 : exitCodes[failure.kind],
    failure: failure?.kind,
    elapsedMs: rounded(elapsedMs),
  };
}
