import { misuse } from "../../cli/errors/failure.ts";
import { system } from "../../sockets/system.ts";
import type { Sizes } from "./flags.ts";
import { isAnswer, isReply } from "./probe/verdict.ts";
import { type Clients, type Expectation, leastSize, OPEN } from "./targets/targets.ts";

/** Flags that each choose a way to check; at most one may be given. */
const MODES = ["for", "count", "sizes"] as const;

/** @throws {Failure} of kind `USAGE` for flags that exclude each other, or need another. */
export function refuseContradictions(given: ReadonlySet<string>): void {
  const [one, other] = MODES.filter((name) => given.has(name));
  if (other !== undefined) throw misuse(`--${one} and --${other} can't be used together`);
  if (given.has("ipv4") && given.has("ipv6")) {
    throw misuse("-4 and -6 leave no address: without either, both are checked");
  }
  if (given.has("first") && !given.has("talk")) {
    throw misuse("--first needs --talk: a conversation file");
  }
  if (given.has("every") && !given.has("count")) {
    throw misuse("--every needs --count: the number of probes", {
      hint: "--for D retries until all targets are as expected",
    });
  }
}

/** A flag that is for some targets only: without one it would be ignored silently. */
interface Purpose {
  readonly flags: readonly string[];
  readonly what: string;
  readonly hint: string;
  isFor(target: Expectation): boolean;
}

const purposes: readonly Purpose[] = [
  {
    flags: ["ca", "days"],
    what: "targets over TLS",
    hint: "write tls:// or https:// before the target: netdemo check https://web/ --days 14",
    isFor: ({ tls }) => tls !== undefined,
  },
  {
    flags: ["proxy-protocol"],
    what: "connections",
    hint: "leave it out: over UDP no header is sent",
    isFor: ({ target }) => target.protocol !== "udp",
  },
  {
    flags: ["slower-than"],
    what: "targets that should answer",
    hint: "leave it out: only an ok can be slow",
    isFor: ({ expect }) => isAnswer(expect),
  },
  {
    flags: ["ipv4", "ipv6"],
    what: "targets with an address",
    hint: "leave it out: a Unix socket has none",
    isFor: ({ target }) => target.protocol !== "unix",
  },
];

/** @throws {Failure} of kind `USAGE` for a flag that none of the targets can use. */
export function refuseUseless(given: ReadonlySet<string>, targets: readonly Expectation[]): void {
  for (const { flags, what, hint, isFor } of purposes) {
    const flag = flags.find((name) => given.has(name));
    if (flag !== undefined && !targets.some(isFor)) {
      throw misuse(`--${flag} is for ${what}`, { hint });
    }
  }
}

/** @throws {Failure} of kind `USAGE` if `--sizes` can't be used on a target. */
export function refuseUnsizable(
  targets: readonly Expectation[],
  clients: Clients,
  sizes: Sizes,
): void {
  for (const expected of targets) {
    const why = unsizable(expected, clients, sizes);
    if (why === undefined) continue;
    throw misuse(`--sizes can't be used on '${expected.text}': ${why}`);
  }
}

/** Why `--sizes` can't be used on a target: its requests can't be of all these sizes. */
function unsizable(
  expected: Expectation,
  clients: Clients,
  { most }: Sizes,
): string | undefined {
  const { expect, service, http, target: { protocol } } = expected;
  const sizable = http === undefined && service !== undefined && service !== OPEN &&
    service !== "hello";
  if (!sizable || !isReply(expect)) return "it needs replies to requests";
  const least = leastSize(expected, clients);
  if (most < least) return `its smallest request has ${least} bytes`;
  if (protocol === "udp" && most > system.maxDatagram) {
    return `a datagram has at most ${system.maxDatagram} bytes`;
  }
  return undefined;
}
