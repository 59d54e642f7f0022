import { Failure } from "../../cli/failure.ts";
import { suggest } from "../../cli/suggest.ts";
import { parseTarget, type Target } from "../../cli/target.ts";
import {
  canonicalAddress,
  isLinkLocalWithoutZone,
  type Protocol,
} from "../../protocol/addresses.ts";
import { isBlocked, type Verdict, verdicts } from "./verdict.ts";

/** What a target is to turn out as: a verdict, or any of those of a blocked way. */
export type Expectation = Exclude<Verdict, "error"> | "blocked";

/** What is asked where a target names no service. */
const DEFAULT_SERVICE = "calc";
/** The service that stands for any: the handshake alone. */
export const OPEN = "open";

/** A target and what it is expected to be. */
export interface Expected {
  /** As it was typed: `dropped=web:5432`. */
  readonly text: string;
  readonly target: Target;
  readonly expect: Expectation;
  /** The service that is asked; `undefined` for what `--send` and `--reply` say. */
  readonly service: string | undefined;
}

/** What the flags say about every target. */
export interface ExpectOptions {
  /** Names of the services that can be asked, `open` aside. */
  readonly services: readonly string[];
  /** Whether a target without a service is asked what `--send` and `--reply` say. */
  readonly custom: boolean;
  /** Whether an ok may be `slow`. */
  readonly canBeSlow: boolean;
}

/**
 * Reads `[EXPECT=]TARGET`.
 *
 * @throws {Failure} of kind `USAGE`, also if the target can never be as expected.
 */
export function parseExpected(text: string, options: ExpectOptions): Expected {
  const [, prefix, rest = text] = /^([a-z-]*)=(.*)$/is.exec(text) ?? [];
  const expect = prefix === undefined ? "ok" : readExpectation(prefix, text);
  const target = parseTarget(rest, { services: [...options.services, OPEN] });
  const fallback = expect === "open" ? OPEN : options.custom ? undefined : DEFAULT_SERVICE;
  const expected = { text, target, expect, service: target.service ?? fallback };
  const why = impossible(expected, options);
  if (why !== undefined) throw new Failure("USAGE", `'${text}' can't be checked: ${why}`);
  return expected;
}

function readExpectation(prefix: string, text: string): Expectation {
  const known: readonly string[] = [...verdicts.filter((name) => name !== "error"), "blocked"];
  if (known.includes(prefix)) return prefix as Expectation;
  if (prefix === "error") {
    throw new Failure("USAGE", `'${text}' can't be checked: an error is never as expected`, {
      hint: `what can be expected: ${known.join(", ")}`,
    });
  }
  throw new Failure("USAGE", `'${prefix}=' is not an expectation: received '${text}'`, {
    hint: suggest(prefix, known) ?? `what can be expected: ${known.join(", ")}`,
  });
}

/** Why a target can never be as expected: a slip that would otherwise look like a finding. */
function impossible({ target, expect, service }: Expected, options: ExpectOptions) {
  if (service === OPEN && target.protocol === "udp") {
    return "UDP has no handshake; leave out /open to ask a calc service";
  }
  if (expect === "open" && service !== OPEN) return `/${service} is asked, so it is never 'open'`;
  if (expect === "slow" && !options.canBeSlow) return "nothing is slow without --slower-than D";
  if (expect === "dns" && !hasName(target)) return "there is no name to resolve";
  if (target.protocol !== "unix" && isLinkLocalWithoutZone(target.host)) {
    return `fe80:: is on every link: name one, as in [${target.host}%eth0]:${target.port}`;
  }
  return undefined;
}

function hasName(target: Target): boolean {
  return target.protocol !== "unix" && canonicalAddress(target.host) === undefined;
}

/** Whether a target is expected to be blocked, in whichever way. */
export function expectsBlock({ expect, target: { protocol } }: Expected): boolean {
  return expect === "blocked" || isBlocked(expect, protocol);
}

/** Whether a verdict is what is expected of a target. */
export function meets(
  verdict: Verdict,
  { expect, service }: Expected,
  protocol: Protocol,
): boolean {
  if (expect === "blocked") return isBlocked(verdict, protocol);
  if (expect === "ok" && service === OPEN) return verdict === "open";
  return verdict === expect;
}
