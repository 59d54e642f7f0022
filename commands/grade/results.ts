import type { Channels } from "../../cli/output/channels.ts";
import { openReport } from "../../cli/reports/open_report.ts";
import { allOf, type Report } from "../../cli/reports/report.ts";
import {
  mapOf,
  milliseconds,
  objectOf,
  oneOf,
  optional,
  text,
  truth,
  type ValueOf,
} from "../../cli/output/event_fields.ts";
import type { EventOf } from "../../cli/output/events.ts";
import type { Outcome } from "../../suite/outcome.ts";
import type { Evidence, TestFacts } from "../../suite/test.ts";
import { gradescopeReport } from "./gradescope.ts";
import type { GradeOptions } from "./options.ts";

/** The result of a check. It is plain data, which the record of a class keeps. */
export const gradeResult = objectOf({
  id: text,
  level: text,
  status: oneOf("pass", "note", "fail", "allowed", "skip", "not-judged"),
  sentence: text,
  /** Why it was not judged or skipped. */
  reason: optional(text),
  /** Whether the examination ended before it. */
  isLeft: optional(truth),
  detail: optional(text),
  more: optional(mapOf(text)),
  elapsedMs: optional(milliseconds),
});
export type GradeResult = ValueOf<typeof gradeResult>;

/** Opens the reports that the flags choose. @throws {Failure} of kind `USAGE` */
export function openReports(
  options: GradeOptions,
  tests: readonly TestFacts[],
  channels: Channels,
): Report<GradeResult> {
  const { json, tap, junit, name, only, gradescope } = options;
  const printed = openReport<GradeResult>({
    command: "grade",
    flags: { json, tap, junit, name },
    channels,
    widths: [12, 0],
    failed: "FAIL",
    row: ({ id, reason, sentence }) => [id, reason ?? sentence],
    hasRow: ({ isLeft }) => !isLeft,
    event: checkEvent,
  });
  if (gradescope === undefined) return printed;
  const planned = tests.filter(({ id }) => only === undefined || only.has(id));
  return allOf([gradescopeReport(gradescope, planned), printed]);
}

/** The line of `--json` for a result. */
export function checkEvent(
  { id, level, status, sentence, reason, more, elapsedMs = 0 }: GradeResult,
): EventOf<"check"> {
  return { event: "check", ...{ id, level, status, sentence, reason, ...more, elapsedMs } };
}

/** Whether the examination ended before a check: it was not judged, and no other check is why. */
export const isLeft = ({ status, see }: Outcome): boolean =>
  status === "not-judged" && see === undefined;

/** Converts an outcome to a result for the reports. */
export function resultOf(outcome: Outcome): GradeResult {
  const { test, status, detail, evidence, see, ...rest } = outcome;
  const { id, sentence, level = "", why, fix } = test;
  const reason = see === undefined ? detail : `not judged: see ${see}`;
  return {
    ...{ id, level, status, sentence, reason, isLeft: isLeft(outcome) },
    detail: reason ?? evidence?.saw.split("\n")[0],
    more: evidence && factsOf({ ...evidence, why: evidence.why ?? why, fix: evidence.fix ?? fix }),
    elapsedMs: Math.round(rest.elapsedMs * 10) / 10,
  };
}

/** What is known of a failure, in the order in which it is read. */
function factsOf({ sent, want, saw, said, why, fix }: Evidence): Record<string, string> {
  const facts = Object.entries({ sent, want, saw, said, why, fix });
  return Object.fromEntries(
    facts.flatMap(([name, text]) => text === undefined ? [] : [[name, text]]),
  );
}
