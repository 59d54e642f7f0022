import type { Channels } from "../../cli/output/report.ts";
import { openReport, type Report, type Result } from "../../cli/reports/report_flags.ts";
import { type CheckFacts, forService, type Outcome, type Subject } from "./check.ts";
import { GradescopeReport } from "./gradescope.ts";
import type { GradeOptions } from "./options.ts";

/** Opens the reports that the flags choose. @throws {Failure} of kind `USAGE` */
export function openReports(
  options: GradeOptions,
  checks: readonly CheckFacts[],
  channels: Channels,
): Report {
  const { json, tap, junit, only, gradescope, subject } = options;
  const printed = openReport({
    command: "grade",
    flags: { json, tap, junit },
    channels,
    widths: [12, 0],
    failed: "FAIL",
  });
  if (gradescope === undefined) return printed;
  const planned = checks.filter(({ id }) => only === undefined || only.has(id)).map((check) => ({
    id: check.id,
    sentence: forService(check.sentence, subject.service),
  }));
  const file = new GradescopeReport(gradescope, planned);
  return {
    columns: (widths) => printed.columns(widths),
    event: (event) => printed.event(event),
    add(result) {
      printed.add(result);
      file.add(result);
    },
    async end(summary) {
      if (summary.aborted !== undefined) file.abort(summary.aborted);
      await printed.end(summary);
    },
  };
}

/** Converts an outcome to a result for the reports. */
export function resultOf(outcome: Outcome, { service }: Subject): Result {
  const { check, status, reason, evidence, said, elapsedMs } = outcome;
  const sentence = forService(check.sentence, service);
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
    status,
    sentence,
    detail: reason ?? evidence?.saw.split("\n")[0],
    more: facts && Object.fromEntries(
      Object.entries(facts).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    elapsedMs,
    cells: [check.id, reason ?? sentence],
    event: {
      event: "check",
      ...{
        id: check.id,
        level: forService(check.level, service),
        status,
        sentence,
        reason,
        ...facts,
        elapsedMs,
      },
    },
  };
}
