import { suggest } from "../../../cli/arguments/suggest.ts";
import { type Failure, misuse } from "../../../cli/errors/failure.ts";
import type { Amount } from "./argument.ts";
import type { FaultKind } from "./kind.ts";
import { faultTable } from "./table.ts";

/** A fault as it was asked for. */
export interface Fault extends Amount {
  /** As on the command line: `reset=20@10#1-50`. */
  readonly text: string;
  readonly kind: FaultKind;
  /** Share of connections, or of datagrams, from 0 to 100. */
  readonly percent: number;
  /** The connections, or datagrams, among which it strikes, counted from 1. */
  readonly first: number;
  readonly last: number;
}

/** What other tools call the faults: Toxiproxy, and netem of Linux's `tc`. */
const namesElsewhere: Readonly<Record<string, string>> = {
  bandwidth: "throttle",
  corrupt: "garbage",
  drop: "lose",
  duplicate: "twice",
  latency: "delay",
  limit_data: "close",
  loss: "lose",
  rate: "throttle",
  reset_peer: "reset",
  slicer: "split",
  timeout: "stall",
};

/** How a fault is written. */
export const FAULT_FORM = "KIND[=ARG][@PERCENT][#N-M]";

/**
 * Reads `KIND[=ARG][@PERCENT][#N-M]`, such as `delay=100ms`, `reset=20@10` or `reset=0#1-2`.
 *
 * @throws {Failure} of kind `USAGE` that shows the right form.
 */
export function readFault(text: string, flag: string): Fault {
  const [, name = "", argument, percent, numbers] =
    /^([^=@#]*)(?:=([^@#]*))?(?:@([^#]*))?(?:#(.*))?$/s.exec(text) ?? [];
  const kind = kindNamed(name);
  if (kind === undefined) {
    const meant = kindNamed(namesElsewhere[name]);
    const names = faultTable.map(({ name }) => name);
    const hint = meant === undefined
      ? suggest(name, names) ?? `the faults are ${names.join(", ")}`
      : `the fault is ${meant.name} here, for example ${flag} ${exampleOf(meant)}`;
    throw misuse(`${flag}: '${text}' is not a fault`, { hint });
  }
  const wrong = (problem: string, hint: string): Failure =>
    misuse(`${flag} ${problem}: received '${text}'`, { hint });
  const amount = kind.argument.read(argument);
  if (amount === undefined) throw wrongArgument(kind, flag, wrong);
  const share = readPercent(percent);
  if (share === undefined) {
    throw wrong(
      "takes a share from 0 to 100 after @",
      `for example ${flag} reset=20@10, for 10 of 100`,
    );
  }
  const range = readNumbers(numbers);
  if (range === undefined) {
    throw wrong(
      "takes numbers from 1 up after #",
      `for example ${flag} reset=0#1-2, for the first two`,
    );
  }
  return { text, kind, ...amount, percent: share, ...range };
}

function kindNamed(name: string | undefined): FaultKind | undefined {
  return faultTable.find((known) => known.name === name);
}

/** `delay=100ms`, or `lose`, which takes no argument. */
function exampleOf({ name, argument: { wanted, example } }: FaultKind): string {
  return wanted === undefined ? name : `${name}=${example}`;
}

function wrongArgument(
  kind: FaultKind,
  flag: string,
  wrong: (problem: string, hint: string) => Failure,
): Failure {
  const { name, argument: { wanted } } = kind;
  return wanted === undefined
    ? wrong(`${name} takes no argument`, `write ${flag} ${name}, or ${flag} ${name}@10 for a share`)
    : wrong(`${name} needs ${wanted}`, `for example ${flag} ${exampleOf(kind)}`);
}

function readPercent(text = "100"): number | undefined {
  const number = /^\d{1,3}(?:\.\d{1,6})?$/.test(text) ? Number(text) : NaN;
  return number <= 100 ? number : undefined;
}

/** Reads `3`, `1-2` or `3-`. */
function readNumbers(text = "1-"): { readonly first: number; readonly last: number } | undefined {
  const [, from, dash, to] = /^([1-9]\d{0,14})(?:(-)([1-9]\d{0,14})?)?$/.exec(text) ?? [];
  const first = Number(from);
  const last = to !== undefined ? Number(to) : dash !== undefined ? Infinity : first;
  return last >= first ? { first, last } : undefined;
}

/**
 * @param noReset Why no connection can be reset, if none can.
 * @throws {Failure} of kind `USAGE` if a fault is not possible over the protocol, or here.
 */
export function checkFaults(
  faults: readonly Fault[],
  protocol: "tcp" | "udp",
  noReset: string | undefined,
): void {
  for (const { kind: { name, only } } of faults) {
    if (only !== undefined && only.protocol !== protocol) {
      throw misuse(`--fault ${name} makes no sense over ${protocol}: ${only.why}`);
    }
    if (name === "reset" && noReset !== undefined) {
      throw misuse(`--fault reset is not available: ${noReset}`, {
        hint: "--fault close ends connections instead",
      });
    }
  }
}
