import type { FailureKind } from "../../cli/errors/failure.ts";
import type { Challenge } from "../../clients/challenge.ts";
import type { Endpoint } from "../../protocol/addresses.ts";
import { type Expectation, expectsBlock, meets } from "./targets.ts";
import type { Probed } from "./probe.ts";
import type { Limit } from "./sizes.ts";
import { failureOf, furthest, getsThrough, isBlocked, showsLife, type Verdict } from "./verdict.ts";

/** What was found at one address of a target. */
export interface Row {
  readonly expected: Expectation;
  /** `undefined` if the name did not resolve. */
  readonly remote: Endpoint | undefined;
  readonly verdict: Verdict;
  readonly probed: Probed;
  /** What was asked; `undefined` if nothing was. */
  readonly challenge: Challenge | undefined;
  readonly resolveMs?: number | undefined;
  readonly elapsedMs: number;
  /** Milliseconds that the probe was allowed. */
  readonly timeout: number;
  /** The request sizes that pass, if that was tried. */
  readonly limit?: Limit<Row> | undefined;
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
 * expected and another address lets a connection through. The control of a block is an `ok` or
 * `open` at the same address in this run.
 *
 * @param strict Whether every address must be as expected, and every block have its control.
 */
export function assess(
  targets: readonly (readonly Row[])[],
  strict: boolean,
): readonly AssessedTarget[] {
  const alive = new Set(
    targets.flat().filter(({ verdict }) => showsLife(verdict)).map(({ remote }) => hostOf(remote)),
  );
  return targets.map((rows) => assessTarget(rows, alive, strict));
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
    return { ...row, asExpected, control: block ? alive.has(hostOf(row.remote)) : undefined };
  });
  const good = (row: typeof judged[number]): boolean =>
    row.asExpected && !(strict && row.control === false);
  // A target is not blocked if any of its addresses lets a connection through.
  const isOpen = expectsBlock(expected) &&
    judged.some(({ verdict }) => getsThrough(verdict, protocol));
  const asExpected = strict ? judged.every(good) : judged.some(good) && !isOpen;
  const counted = judged.filter((row) => !good(row));
  const verdict = furthest((asExpected ? judged.filter(good) : counted).map((row) => row.verdict));
  // If only a control is missing, the verdict itself is not the failure.
  const uncontrolled = counted.every((row) => row.asExpected);
  return {
    expected,
    rows: judged.map((row) => ({
      ...row,
      status: good(row) ? "pass" : asExpected ? "note" : "fail",
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
