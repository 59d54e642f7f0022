import { Failure } from "../../../cli/errors/failure.ts";
import type { Event, EventOf } from "../../../cli/output/events.ts";
import { rounded } from "../../../cli/output/channels.ts";
import type { Result } from "../../../cli/reports/report.ts";
import { deviationHint, deviationLines } from "../../../cli/errors/deviation_words.ts";
import { formatEndpoint } from "../../../protocol/addresses.ts";
import { escapeBytes } from "../../../talk/escape.ts";
import type { DeviationFacts } from "../../../talk/deviation.ts";
import type { AssessedRow, AssessedTarget, Limit } from "../rounds/assessment.ts";
import type { Series, Spread } from "../rounds/series.ts";
import { isAnswer } from "../probe/verdict.ts";
import { daysLeft } from "../probe/tls.ts";
import { hintFor } from "./hints.ts";
import type { Expectation } from "../targets/targets.ts";
import { detailOf, milliseconds } from "./words.ts";

/** A result with its row for people, and its line of `--json` if that is not printed yet. */
export interface CheckResult extends Result {
  readonly cells: readonly string[];
  readonly event: Event | undefined;
}

/** Makes a report's result from a row. @param number The number of the try, from 1. */
export function resultOf(row: AssessedRow, number: number): CheckResult {
  const detail = detailOf(row);
  return row.limit === undefined
    ? withDetail(row, detail, probeEvent(row, number))
    : withDetail(row, limitWords(row.limit, detail), sizesEvent(row, row.limit));
}

/** The result of an address that was tried several times. */
export function seriesResult(series: Series): CheckResult {
  const { row, tries, asExpected, verdicts, loss, connect, reply } = series;
  const found = Object.fromEntries(verdicts);
  const counts = Object.entries(found).map(([verdict, count]) => `${count} ${verdict}`);
  const lost = row.expected.expect === "ok" ? `; loss ${(loss * 100).toFixed(1)}%` : "";
  const detail = `${tries} ${tries === 1 ? "try" : "tries"}: ${counts.join(", ")}${lost}`;
  const event: Event = {
    event: "statistics",
    ...identity(row),
    expect: row.expected.expect,
    tries,
    triesAsExpected: asExpected,
    verdicts: found,
    loss: rounded(loss),
    connect: spreadFields(connect),
    reply: spreadFields(reply),
  };
  const more = {
    ...(row.status === "fail" && { first: detailOf(row) }),
    ...(connect !== undefined && { connect: spreadWords(connect) }),
    ...(reply !== undefined && { reply: spreadWords(reply) }),
  };
  return { ...withDetail(row, detail, event), more };
}

/** `p50 0.3  p95 0.4  p99 0.9  max 1.2 ms` */
function spreadWords({ p50, p95, p99, max }: Spread): string {
  const [a, b, c, d] = [p50, p95, p99, max].map(milliseconds);
  return `p50 ${a}  p95 ${b}  p99 ${c}  max ${d} ms`;
}

function spreadFields(spread: Spread | undefined) {
  if (spread === undefined) return undefined;
  const { p50, p95, p99, max } = spread;
  return { p50Ms: rounded(p50), p95Ms: rounded(p95), p99Ms: rounded(p99), maxMs: rounded(max) };
}

/** Which sizes pass, and what happens to one that does not. */
function limitWords({ passedSize, failedSize }: Limit, detail: string): string {
  if (failedSize === undefined) return `all sizes up to ${passedSize} bytes pass`;
  const failed = `${failedSize} do not: ${detail}`;
  return passedSize === undefined
    ? `requests of ${failed}`
    : `up to ${passedSize} bytes pass, ${failed}`;
}

function sizesEvent(
  row: AssessedRow,
  { passedSize, failedSize }: Limit,
): EventOf<"sizes"> {
  return {
    event: "sizes",
    ...identity(row),
    expect: row.expected.expect,
    verdict: row.verdict,
    asExpected: row.asExpected,
    passedBytes: passedSize,
    failedBytes: failedSize,
  };
}

function withDetail(row: AssessedRow, detail: string, event: Event): CheckResult {
  const { expected, remote, status, verdict, elapsedMs } = row;
  const address = addressOf(row);
  const control = row.control === false && status === "fail" ? "; no positive control" : "";
  const { text, expect } = expected;
  const at = address === "-" || text.includes(address) ? "" : ` at ${address}`;
  return {
    id: `${text} ${remote === undefined ? "-" : formatEndpoint(remote)}`,
    status,
    sentence: `${text}${at} is ${expect}`,
    detail: `${verdict}: ${detail}${control}`,
    type: control === "" ? verdict : "control",
    elapsedMs: rounded(elapsedMs),
    cells: [text, `${address} `, `${verdict} `, `${detail}${control}`],
    event,
  };
}

/** The cell in the address column. */
function addressOf({ remote }: AssessedRow): string {
  if (remote === undefined) return "-";
  return "path" in remote ? "unix" : remote.hostname;
}

/** The fields that every event of a row has. */
function identity({ expected: { target, service }, remote }: AssessedRow) {
  return {
    target: target.text,
    protocol: target.protocol,
    service: service ?? "custom",
    remote: remote && formatEndpoint(remote),
  };
}

/** The duration of a phase, if it was reached. */
function phaseMs(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : rounded(milliseconds);
}

/** One try of one address, as `--json` prints it. */
export function probeEvent(row: AssessedRow, number: number): EventOf<"probe"> {
  const { probed, verdict, asExpected, resolveMs, elapsedMs, control } = row;
  const { ending, bytes, connectMs, tlsMs, sendMs, firstByteMs, replyMs } = probed;
  const { stranger, deviation, answer, certificate } = probed;
  const isHttp = row.asked?.form === "http";
  return {
    event: "probe",
    ...identity(row),
    try: number,
    expect: row.expected.expect,
    verdict,
    asExpected,
    control,
    phase: ending.phase,
    detail: isAnswer(verdict) ? undefined : detailOf(row),
    errno: ending.how === "failed" ? ending.errno : undefined,
    bytes: ending.phase === "reply" ? bytes : undefined,
    stranger: stranger && formatEndpoint(stranger),
    line: deviation?.line.number,
    wanted: deviation?.wanted,
    came: deviation && escapeBytes(deviation.came.subarray(0, MAX_CAME)),
    resolveMs: phaseMs(resolveMs),
    httpStatus: answer?.status,
    location: answer?.location,
    certificateDays: certificate && daysLeft(certificate),
    connectMs: phaseMs(connectMs),
    tlsMs: phaseMs(tlsMs),
    sendMs: phaseMs(sendMs),
    firstByteMs: phaseMs(isHttp ? firstByteMs : undefined),
    replyMs: phaseMs(replyMs),
    elapsedMs: rounded(elapsedMs),
  };
}

/** Bytes of a wrong reply in an event. */
const MAX_CAME = 1_024;

/** How many targets a message names. */
const NAMED = 5;

/** The failure that a check ends with: that of the first target that is not as expected. */
export function failureOfCheck(targets: readonly AssessedTarget[]): Failure | undefined {
  const failed = targets.filter(({ asExpected }) => !asExpected);
  const [first] = failed;
  if (first?.failure === undefined) return undefined;
  const names = namesOf(failed.map(({ expected }) => expected));
  const verb = failed.length === 1 ? "is" : "are";
  const message = targets.length === 1
    ? `${names} is not as expected`
    : `${failed.length} of ${targets.length} targets ${verb} not as expected: ${names}`;
  const deviation = deviationOf(first);
  return new Failure(first.failure, message, {
    hint: deviation === undefined ? hintOf(first) : deviationHint(deviation.hint),
    excerpt: deviation && deviationLines(deviation, nameOfTalk(first)),
  });
}

function nameOfTalk({ expected: { question } }: AssessedTarget): string {
  return question?.form === "talk" ? question.name : "";
}

/** How the target's first wrong reply deviates from the conversation file. */
function deviationOf({ rows }: AssessedTarget): DeviationFacts | undefined {
  return rows.find(({ status, probed }) => status === "fail" && probed.deviation !== undefined)
    ?.probed.deviation;
}

function hintOf(target: AssessedTarget): string {
  const uncontrolled = target.rows.every(({ status, asExpected }) =>
    status === "pass" || asExpected
  );
  return uncontrolled
    ? "also check something that answers at the same address: a host that is off looks the same"
    : hintFor(target);
}

/** `waiting: web:8080 is refused, db:5432 is dropped`: what is not as expected yet. */
export function waitingWords(targets: readonly AssessedTarget[]): string {
  const waiting = targets.filter(({ asExpected }) => !asExpected);
  if (waiting.length === 0) return "";
  const named = waiting.slice(0, 3).map(({ expected, verdict }) =>
    `${expected.text} is ${verdict}`
  );
  const more = waiting.length > named.length ? ` and ${waiting.length - named.length} more` : "";
  return `waiting: ${named.join(", ")}${more}`;
}

/** That a check was interrupted, and by then had not checked these targets. */
export function cutWords(left: readonly Expectation[]): string {
  const which = left.length === 0 ? "" : `; not checked: ${namesOf(left)}`;
  return `the check was interrupted${which}`;
}

function namesOf(targets: readonly Expectation[]): string {
  const names = targets.slice(0, NAMED).map(({ text }) => text).join(", ");
  return targets.length > NAMED ? `${names} and ${targets.length - NAMED} more` : names;
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
  { failure, exitCode, elapsedMs }: {
    readonly failure: Failure | undefined;
    readonly exitCode: number;
    readonly elapsedMs: number;
  },
): EventOf<"summary"> {
  return {
    event: "summary",
    ok: exitCode === 0,
    targets: targets.length,
    asExpected: targets.filter(({ asExpected }) => asExpected).length,
    exitCode,
    failure: failure?.kind,
    elapsedMs: rounded(elapsedMs),
  };
}
