import { exitCodes, Failure, type FailureKind } from "../../cli/errors/failure.ts";
import { rounded } from "../../cli/output/report.ts";
import type { Result, Summary } from "../../cli/reports/report_flags.ts";
import { quoteBytes, wrap } from "../../text/width.ts";
import type { Outcome, Strays } from "./examination.ts";
import { Broken } from "./question.ts";

/** Width of an explanation. */
const EXPLAIN_COLUMNS = 68;

/** How a question turned out. */
export interface Verdict extends Outcome {
  readonly status: "pass" | "note" | "fail" | "allowed" | "skip";
  readonly detail: string;
}

/** Judges an answer. @param allow Ids of the failures that the user accepts. */
export function judge(outcome: Outcome, allow: readonly string[]): Verdict {
  const { answer, question } = outcome;
  if (!(answer instanceof Broken)) return { ...outcome, ...answer };
  const status = allow.includes(question.id) ? "allowed" : "fail";
  return { ...outcome, status, detail: answer.message };
}

/** Makes a report's result from a verdict. @param explains Whether to include what it means. */
export function resultOf(verdict: Verdict, explains: boolean): Result {
  const { question: { id, sentence, explain }, status, detail } = verdict;
  const elapsedMs = rounded(verdict.elapsedMs);
  const shown = status === "allowed" ? `allowed: ${detail}` : detail;
  return {
    id,
    status,
    sentence,
    detail,
    elapsedMs,
    cells: [sentence, shown],
    more: explains ? { means: wrap(explain, EXPLAIN_COLUMNS).join("\n") } : undefined,
    event: {
      event: "question",
      id,
      status,
      detail,
      elapsedMs,
      explain: explains ? explain : undefined,
    },
  };
}

/**
 * Why the command fails; `undefined` if nothing failed.
 *
 * @param place Where the forwarder should forward to, as the user gave it.
 */
export function failureOf(
  verdicts: readonly Verdict[],
  strays: Strays,
  place: string,
): Failure | undefined {
  const failed = verdicts.filter(({ status }) => status === "fail");
  const [first] = failed;
  if (first === undefined) return undefined;
  if (first.question.id === "reply" && first.answer instanceof Broken) {
    return new Failure(first.answer.kind, `no request and reply get through: ${first.detail}`, {
      hint: hintFor(first.answer.kind, strays, place),
    });
  }
  const ids = failed.map(({ question: { id } }) => id);
  const which = `${failed.length} of ${verdicts.length} ${plural("question", verdicts.length)}`;
  const how = `${failed.length === 1 ? "is" : "are"} not answered as without a forwarder`;
  return new Failure("ERROR", `${which} ${how}: ${ids.join(", ")}`, {
    hint: `--explain says what this means for an application; --allow ${ids.join(",")} accepts it`,
  });
}

/** What to look at when nothing gets through. */
function hintFor(kind: FailureKind, strays: Strays, place: string): string {
  if (strays.sample !== undefined) {
    const began = quoteBytes(strays.sample, 48);
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

/** The summary at the end. */
export function summaryOf(
  verdicts: readonly Verdict[],
  strays: Strays,
  failure: Failure | undefined,
  elapsedMs: number,
): Summary {
  const idsOf = (wanted: Verdict["status"]): string[] =>
    verdicts.filter(({ status }) => status === wanted).map(({ question: { id } }) => id);
  const failedIds = idsOf("fail");
  return {
    text: textOf(verdicts, strays, failure),
    event: {
      event: "summary",
      ok: failure === undefined,
      questions: verdicts.length,
      failed: failedIds.length,
      failedIds,
      allowedIds: idsOf("allowed"),
      strays: strays.count,
      exitCode: failure === undefined ? 0 : exitCodes[failure.kind],
      failure: failure?.kind,
      elapsedMs: rounded(elapsedMs),
    },
  };
}

/** The counts, unless a failure follows that has them, and the strays. */
function textOf(
  verdicts: readonly Verdict[],
  { count }: Strays,
  failure: Failure | undefined,
): string | undefined {
  const lines: string[] = [];
  if (failure === undefined) {
    const counts = ["pass", "note", "allowed", "skip"].flatMap((wanted) => {
      const number = verdicts.filter(({ status }) => status === wanted).length;
      return number === 0 ? [] : [`${number} ${counted[wanted]}`];
    });
    lines.push(`${verdicts.length} ${plural("question", verdicts.length)}: ${counts.join(", ")}`);
  }
  if (count > 0) lines.push(`${count} ${plural("stray", count)} also arrived, and got no answer`);
  return lines.length === 0 ? undefined : lines.join("; ");
}

const counted: Record<string, string> = {
  pass: "answered as without a forwarder",
  note: "noted",
  allowed: "allowed",
  skip: "skipped",
};

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}
