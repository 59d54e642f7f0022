import { Failure } from "../../cli/errors/failure.ts";
import { suggest } from "../../cli/arguments/suggest.ts";
import { parseDuration } from "../../protocol/duration.ts";

/** The ways in which a relay disturbs what it passes on. */
export type FaultKind =
  | "delay"
  | "split"
  | "throttle"
  | "garbage"
  | "lose"
  | "twice"
  | "close"
  | "reset"
  | "stall";

/** A fault as it was asked for. */
export interface Fault {
  readonly kind: FaultKind;
  /** Milliseconds of a delay, bytes per second, or the bytes after which it strikes. */
  readonly amount: number;
  /** Share of connections, or of datagrams, from 0 to 100. */
  readonly percent: number;
}

/** What follows the name of a fault and "=". */
type Argument = "a duration" | "a number of bytes" | "nothing";

interface Row {
  readonly argument: Argument;
  /** The protocol it is for, if only one. */
  readonly only?: "tcp" | "udp";
  readonly about: string;
}

/** Every fault. */
export const faultTable: Readonly<Record<FaultKind, Row>> = {
  delay: { argument: "a duration", about: "delay=D     hold back each piece for D" },
  split: { argument: "nothing", about: "split       pass each piece on byte by byte" },
  throttle: { argument: "a number of bytes", about: "throttle=N  pass on N bytes per second" },
  garbage: {
    argument: "nothing",
    about: "garbage     change the first byte of each piece, so that it is not UTF-8",
  },
  lose: { argument: "nothing", only: "udp", about: "lose        lose the datagram (UDP)" },
  twice: { argument: "nothing", only: "udp", about: "twice       send the datagram twice (UDP)" },
  close: {
    argument: "a number of bytes",
    only: "tcp",
    about: "close=N     end both sides after N bytes; 0 means at once",
  },
  reset: {
    argument: "a number of bytes",
    only: "tcp",
    about: "reset=N     reset both sides after N bytes",
  },
  stall: { argument: "a number of bytes", about: "stall=N     pass nothing more on after N bytes" },
};

const kinds = Object.keys(faultTable) as FaultKind[];

/**
 * Reads `KIND[=ARG][@PERCENT]`, such as `delay=100ms` or `reset=20@10`.
 *
 * @throws {Failure} of kind `USAGE` that shows the right form.
 */
export function readFault(text: string, flag: string): Fault {
  const [, name = "", argument, percent] = /^([^=@]*)(?:=([^@]*))?(?:@(.*))?$/.exec(text) ?? [];
  const kind = kinds.find((known) => known === name);
  if (kind === undefined) {
    const hint = suggest(name, kinds) ?? `faults: ${kinds.join(", ")}`;
    throw new Failure("USAGE", `${flag} ${name} is not known: received '${text}'`, { hint });
  }
  return {
    kind,
    amount: readAmount(kind, argument, text, flag),
    percent: readPercent(percent, text, flag),
  };
}

function readAmount(
  kind: FaultKind,
  argument: string | undefined,
  text: string,
  flag: string,
): number {
  const row = faultTable[kind];
  const received = `received '${text}'`;
  switch (row.argument) {
    case "nothing": {
      if (argument === undefined) return 0;
      const hint = `write ${flag} ${kind}, or ${flag} ${kind}@10 for a share`;
      throw new Failure("USAGE", `${flag} ${kind} takes no argument: ${received}`, { hint });
    }
    case "a duration": {
      const milliseconds = parseDuration(argument ?? "");
      if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
      const hint = `for example ${flag} ${kind}=100ms`;
      throw new Failure("USAGE", `${flag} ${kind} needs a duration: ${received}`, { hint });
    }
    case "a number of bytes": {
      const least = kind === "throttle" ? 1 : 0;
      const bytes = /^\d{1,15}$/.test(argument ?? "") ? Number(argument) : NaN;
      if (bytes >= least) return bytes;
      const hint = `for example ${flag} ${kind}=${kind === "throttle" ? 1_000 : 20}`;
      const wanted = `a whole number of bytes from ${least} up`;
      throw new Failure("USAGE", `${flag} ${kind} needs ${wanted}: ${received}`, { hint });
    }
  }
}

function readPercent(percent: string | undefined, text: string, flag: string): number {
  if (percent === undefined) return 100;
  const number = /^\d{1,3}(?:\.\d{1,6})?$/.test(percent) ? Number(percent) : NaN;
  if (number <= 100) return number;
  const hint = `for example ${flag} reset=20@10, for 10 of 100`;
  throw new Failure("USAGE", `${flag} takes a share from 0 to 100 after @: received '${text}'`, {
    hint,
  });
}

/** @throws {Failure} of kind `USAGE` if a fault is not possible over the protocol, or here. */
export function checkFaults(
  faults: readonly Fault[],
  protocol: "tcp" | "udp",
  canReset: boolean,
): void {
  for (const { kind } of faults) {
    const { only = protocol } = faultTable[kind];
    if (only !== protocol) {
      const why = only === "udp"
        ? "only datagrams can be lost or doubled: add --udp"
        : "UDP has no connection to end";
      throw new Failure("USAGE", `--fault ${kind} makes no sense over ${protocol}: ${why}`);
    }
    if (kind === "reset" && !canReset) {
      throw new Failure("USAGE", "--fault reset is not available: this runtime can't reset", {
        hint: "netdemo --version names the runtime; --fault close ends connections instead",
      });
    }
  }
}
