import { Failure, type FailureKind } from "../../cli/errors/failure.ts";
import { rounded } from "../../cli/output/channels.ts";
import type { Event } from "../../cli/output/events.ts";
import type { Result, Summary } from "../../cli/reports/report.ts";
import { counted } from "../../text/counted.ts";
import { wrap } from "../../text/width.ts";
import { countByStatus, idsWith, type Outcome } from "../../suite/outcome.ts";
import type { Strays } from "./fixture.ts";
import { quoted } from "./wording.ts";

/** Width of an explanation. */
const EXPLAIN_COLUMNS = 68;

/** The result of a question. */
export interface Answered extends Result {
  readonly detail: string;
  readonly elapsedMs: number;
  /** What a failure means, if that was asked for. */
  readonly explain: string | undefined;
}

/** Makes a report's result from an outcome. @param explains Whether to include what it means. */
export function resultOf(outcome: Outcome, explains: boolean): Answered {
  const { test: { id, sentence, why }, status } = outcome;
  return {
    id,
    status,
    sentence,
    detail: detailOf(outcome),
    elapsedMs: rounded(outcome.elapsedMs),
    explain: explains ? why : undefined,
    more: explains ? { means: wrap(why, EXPLAIN_COLUMNS).join("\n") } : undefined,
  };
}

/** The row of a result. */
export function rowOf({ sentence, status, detail }: Answered): readonly string[] {
  return [sentence, status === "allowed" ? `allowed: ${detail}` : detail];
}

/** The line of `--json` for a result. */
export function eventOf({ id, status, detail, elapsedMs, explain }: Answered): Event {
  return { event: "question", id, status, detail, elapsedMs, explain };
}

/** What was observed. */
function detailOf({ detail, evidence }: Outcome): string {
  return evidence?.saw ?? detail ?? "";
}

/**
 * Why the command fails; `undefined` if nothing failed.
 *
 * @param place Where the forwarder should forward to, as the user gave it.
 */
export function failureOf(
  outcomes: readonly Outcome[],
  strays: Strays,
  place: string,
): Failure | undefined {
  const ids = idsWith("fail", outcomes);
  const first = outcomes.find(({ status }) => status === "fail");
  if (first === undefined) return undefined;
  if (first.test.id === "reply" && first.evidence?.isUsable !== true) {
    const { kind = "ERROR" } = first.evidence ?? {};
    return new Failure(kind, `no request and reply get through: ${detailOf(first)}`, {
      hint: first.evidence?.fix ?? hintFor(kind, strays, place),
    });
  }
  const which = `${ids.length} of ${counted(outcomes.length, "question")}`;
  const how = `${ids.length === 1 ? "is" : "are"} not answered as without a forwarder`;
  return new Failure("ERROR", `${which} ${how}: ${ids.join(", ")}`, {
    hint: `--explain says what this means for an application; --allow ${ids.join(",")} accepts it`,
  });
}

/** What to look at when nothing gets through. */
function hintFor(kind: FailureKind, strays: Strays, place: string): string {
  if (strays.sample !== undefined) {
    const began = quoted(strays.sample);
    return `the input at ${place} began with ${began}, which the client did not send`;
  }
  if (kind === "REFUSED") return "start the forwarder first, or wait for it with --for 30s";
  if (kind === "UNREACHABLE") return "this host has no route to that address: check the TARGET";
  if (kind === "ERROR") return "--explain says what this means for an application";
  const port = place.slice(place.lastIndexOf(":") + 1);
  const elsewhere = place.startsWith("localhost:")
    ? `; one in a container or on another host needs --listen 0.0.0.0:${port}`
    : "";
  return `check that the forwarder forwards to ${place}${elsewhere}`;
}

/** How the questions ended. */
interface Conclusion {
  /** `undefined` if they were interrupted. */
  readonly strays: Strays | undefined;
  readonly failure: Failure | undefined;
  readonly exitCode: number;
  readonly elapsedMs: number;
}

/** The summary at the end. */
export function summaryOf(outcomes: readonly Outcome[], conclusion: Conclusion): Summary {
  const { strays, failure, exitCode, elapsedMs } = conclusion;
  const failedIds = idsWith("fail", outcomes);
  return {
    text: textOf(outcomes, conclusion),
    aborted: strays === undefined ? INTERRUPTED : undefined,
    event: {
      event: "summary",
      ok: exitCode === 0,
      questions: outcomes.length,
      failed: failedIds.length,
      failedIds,
      allowedIds: idsWith("allowed", outcomes),
      strays: strays?.count ?? 0,
      exitCode,
      failure: failure?.kind,
      elapsedMs: rounded(elapsedMs),
    },
  };
}

const INTERRUPTED = "the questions were interrupted";

/** The counts, unless a failure follows that has them, and the strays. */
function textOf(
  outcomes: readonly Outcome[],
  { strays, failure }: Conclusion,
): string | undefined {
  if (strays === undefined) return INTERRUPTED;
  const { count } = strays;
  const lines: string[] = [];
  if (failure === undefined) {
    const byStatus = countByStatus(outcomes);
    const counts = (["pass", "note", "allowed", "skip"] as const).flatMap((status) =>
      byStatus[status] === 0 ? [] : [`${byStatus[status]} ${named[status]}`]
    );
    lines.push(`${counted(outcomes.length, "question")}: ${counts.join(", ")}`);
  }
  if (count > 0) lines.push(`${counted(count, "stray")} also arrived, and got no answer`);
  return lines.length === 0 ? undefined : lines.join("; ");
}

const named = {
  pass: "answered as without a forwarder",
  note: "noted",
  allowed: "allowed",
  skip: "skipped",
};
