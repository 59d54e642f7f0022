import type { FailureKind } from "../../cli/failure.ts";
import type { Challenge } from "../../clients/challenge.ts";
import type { Endpoint } from "../../protocol/addresses.ts";
import { type Expected, expectsBlock, meets } from "./expectation.ts";
import type { Probed } from "./probe.ts";
import type { Limit } from "./sizes.ts";
import { failureOf, furthest, getsThrough, isBlocked, showsLife, type Verdict } from "./verdict.ts";

/** What was found at one address of a target. */
export interface Row {
  readonly expected: Expected;
  /** `undefined` where the name did not resolve. */
  readonly remote: Endpoint | undefined;
  readonly verdict: Verdict;
  readonly probed: Probed;
  /** What was asked; `undefined` where nothing was. */
  readonly challenge: Challenge | undefined;
  readonly resolveMs?: number | undefined;
  readonly elapsedMs: number;
  /** Milliseconds that there were for the probe. */
  readonly timeout: number;
  /** Which sizes of request pass, where that was tried. */
  readonly limit?: Limit<Row> | undefined;
}

/** A row with what it means for its target. */
export interface AssessedRow extends Row {
  /** Whether the verdict is the one that is expected. */
  readonly asExpected: boolean;
  /** Whether a block at this address has its control; `undefined` where none is needed. */
  readonly control?: boolean | undefined;
  /** How it counts: a `note` where another address of the target was as expected. */
  readonly status: "pass" | "note" | "fail";
}

/** What was found at all addresses of a target. */
export interface AssessedTarget {
  readonly expected: Expected;
  readonly rows: readonly AssessedRow[];
  readonly asExpected: boolean;
  /** The verdict that stands for the target. */
  readonly verdict: Verdict;
  /** What kind of failure it is, if it is not as expected. */
  readonly failure?: FailureKind | undefined;
}

/**
 * What the rows of each target mean, together: one address as expected is
 * enough, unless it is a block and another lets through; a block needs an address
 * that answered something else in this run.
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
  // Nothing is blocked that another of its addresses lets through.
  const isOpen = expectsBlock(expected) &&
    judged.some(({ verdict }) => getsThrough(verdict, protocol));
  const asExpected = strict ? judged.every(good) : judged.some(good) && !isOpen;
  const counted = judged.filter((row) => !good(row));
  const verdict = furthest((asExpected ? judged.filter(good) : counted).map((row) => row.verdict));
  // What is as expected, and fails for want of a control alone, is no such failure.
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

/** The address of an end without its port: a host is one, whichever port answers. */
function hostOf(endpoint: Endpoint | undefined): string | undefined {
  return endpoint === undefined
    ? undefined
    : "path" in endpoint
    ? endpoint.path ?? undefined
    : endpoint.hostname;
}
