import type { Channels } from "../../cli/output/channels.ts";
import { openReport } from "../../cli/reports/open_report.ts";
import { allOf, type Report, type Result } from "../../cli/reports/report.ts";
import { type CheckFacts, forService, type Outcome, type Subject } from "./check.ts";
import { gradescopeReport } from "./gradescope.ts";
import type { GradeOptions } from "./options.ts";

/** The result of a check. */
export interface GradeResult extends Result {
  readonly level: string;
  /** Why it was not judged or skipped. */
  readonly reason: string | undefined;
}

/** Opens the reports that the flags choose. @throws {Failure} of kind `USAGE` */
export function openReports(
  options: GradeOptions,
  checks: readonly CheckFacts[],
  channels: Channels,
): Report<GradeResult> {
  const { json, tap, junit, name, only, gradescope, subject } = options;
  const printed = openReport<GradeResult>({
    command: "grade",
    flags: { json, tap, junit, name },
    channels,
    widths: [12, 0],
    failed: "FAIL",
    row: ({ id, reason, sentence }) => [id, reason ?? sentence],
    event: ({ id, level, status, sentence, reason, more, elapsedMs = 0 }) => (
      { event: "check", ...{ id, level, status, sentence, reason, ...more, elapsedMs } }
    ),
  });
  if (gradescope === undefined) return printed;
  const planned = checks.filter(({ id }) => only === undefined || only.has(id)).map((check) => ({
    id: check.id,
    sentence: forService(check.sentence, subject.service),
  }));
  return allOf([gradescopeReport(gradescope, planned), printed]);
}

/** Converts an outcome to a result for the reports. */
export function resultOf(outcome: Outcome, { service }: Subject): GradeResult {
  const { check, status, reason, evidence, said, elapsedMs } = outcome;
  const facts = evidence === undefined ? undefined : {
    sent: evidence.sent,
    want: evidence.want,
    saw: evidence.saw,
    said,
    why: check.why,
    fix: evidence.fix ?? check.fix,
  };
  return {
    id: check.id,
    level: forService(check.level, service),
    status,
    sentence: forService(check.sentence, service),
    reason,
    detail: reason ?? evidence?.saw.split("\n")[0],
    more: facts && Object.fromEntries(
      Object.entries(facts).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    elapsedMs,
  };
}
