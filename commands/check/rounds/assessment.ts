import type { FailureKind } from "../../../cli/errors/failure.ts";
import type { Endpoint, Protocol } from "../../../protocol/addresses.ts";
import type { Asked } from "../questions/challenge.ts";
import type { Probed } from "../probe/probe.ts";
import {
  failureOf,
  furthest,
  getsThrough,
  isBlocked,
  showsHost,
  type Verdict,
} from "../probe/verdict.ts";
import { type Expectation, OPEN } from "../targets/targets.ts";

/** Where requests stop passing. */
export interface Limit {
  /** Bytes of the largest request that passed; `undefined` if none did. */
  readonly passedSize: number | undefined;
  /** Bytes of the smallest request that did not pass; `undefined` if all did. */
  readonly failedSize: number | undefined;
}

/** What was found at one address of a target. */
export interface Row {
  readonly expected: Expectation;
  /** `undefined` if the name did not resolve. */
  readonly remote: Endpoint | undefined;
  readonly verdict: Verdict;
  /** Whether this host has no address of that family at all, so nothing can be said about it. */
  readonly lacksFamily?: boolean | undefined;
  readonly probed: Probed;
  /** What was asked; `undefined` if nothing was. */
  readonly asked: Asked | undefined;
  readonly resolveMs?: number | undefined;
  readonly elapsedMs: number;
  /** Milliseconds that the probe was allowed. */
  readonly timeout: number;
  /** The request sizes that pass, if that was tried. */
  readonly limit?: Limit | undefined;
}

/** A row with what it means for its target. */
export interface AssessedRow extends Row {
  /** Whether the verdict is the expected one. */
  readonly asExpected: boolean;
  /** Whether a block at this address has its positive control; `undefined` if none is needed. */
  readonly control?: boolean | undefined;
  /** A `note` is a failure that another address of the target makes up for. */
  readonly status: "pass" | "note" | "fail";
}

/** What was found at all addresses of a target. */
export interface AssessedTarget {
  readonly expected: Expectation;
  readonly rows: readonly AssessedRow[];
  readonly asExpected: boolean;
  /** The verdict that stands for the target. */
  readonly verdict: Verdict;
  /** The kind of failure, if the target is not as expected. */
  readonly failure?: FailureKind | undefined;
}

/**
 * Judges each target by all of its rows. One address as expected is enough, unless a block is
 * expected and another address lets a connection through. The control of a block is any answer
 * from the same address in this run; a refusal is one itself.
 *
 * @param strict Whether every address must be as expected, and every block have its control.
 */
export function assess(
  targets: readonly (readonly Row[])[],
  strict: boolean,
): readonly AssessedTarget[] {
  const alive = new Set(targets.flat().filter(isAnswered).map(({ remote }) => hostOf(remote)));
  return targets.map((rows) => assessTarget(rows, alive, strict));
}

/** Whether a row shows that its host is on. */
function isAnswered({ verdict, expected, probed: { ending } }: Row): boolean {
  // No file at the path of a Unix socket is no answer.
  const isMissing = ending.how === "failed" && ending.errno === "ENOENT";
  return showsHost(verdict, expected.target.protocol) && !isMissing;
}

function assessTarget(
  rows: readonly Row[],
  alive: ReadonlySet<string | undefined>,
  strict: boolean,
): AssessedTarget {
  const [first] = rows;
  if (first === undefined) throw new TypeError("Cannot assess a target without a row");
  const { expected } = first;
  const { protocol } = expected.target;
  const judged = rows.map((row) => {
    const asExpected = meets(row.verdict, expected, protocol);
    const block = asExpected && isBlocked(row.verdict, protocol);
    const control = block ? alive.has(hostOf(row.remote)) : undefined;
    return { ...row, asExpected, control, isGood: asExpected && !(strict && control === false) };
  });
  // Addresses of a family that this host lacks count only if there are no others.
  const inFamily = judged.filter(({ lacksFamily }) => !lacksFamily);
  const counted = inFamily.length > 0 ? inFamily : judged;
  // A target is not blocked if any of its addresses lets a connection through.
  const isOpen = expectsBlock(expected) &&
    judged.some(({ verdict }) => getsThrough(verdict, protocol));
  const asExpected = strict
    ? counted.every(({ isGood }) => isGood)
    : counted.some(({ isGood }) => isGood) && !isOpen;
  const shown = counted.filter(({ isGood }) => isGood === asExpected);
  const verdict = furthest(shown.map((row) => row.verdict));
  // If only a control is missing, the verdict itself is not the failure.
  const uncontrolled = shown.every((row) => row.asExpected);
  return {
    expected,
    rows: judged.map((row) => ({
      ...row,
      status: row.isGood ? "pass" : asExpected || !counted.includes(row) ? "note" : "fail",
    })),
    asExpected,
    verdict,
    failure: asExpected ? undefined : uncontrolled ? "ERROR" : failureOf(verdict),
  };
}

/** The address of an endpoint without its port: any port that answers shows that the host is on. */
function hostOf(endpoint: Endpoint | undefined): string | undefined {
  return endpoint === undefined
    ? undefined
    : "path" in endpoint
    ? endpoint.path ?? undefined
    : endpoint.hostname;
}

/** Whether a target is expected to be blocked, in any way. */
function expectsBlock({ expect, target: { protocol } }: Expectation): boolean {
  return expect === "blocked" || isBlocked(expect, protocol);
}

/** Whether a verdict meets the expectation of a target. */
export function meets(
  verdict: Verdict,
  { expect, service }: Expectation,
  protocol: Protocol,
): boolean {
  if (expect === "blocked") return isBlocked(verdict, protocol);
  if (expect === "ok" && service === OPEN) return verdict === "open";
  return verdict === expect;
}
