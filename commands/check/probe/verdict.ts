import type { Protocol } from "../../../protocol/addresses.ts";
import type { FailureKind } from "../../../cli/errors/failure.ts";
import type { SocketFailureKind } from "../../../sockets/errno.ts";
import type { TlsProblem } from "./tls.ts";

/** What a probe can find, furthest first: a reply before a connection, a refusal before silence. */
export const verdicts = [
  "ok",
  "slow",
  "open",
  "wrong",
  "untrusted",
  "closed",
  "reset",
  "silent",
  "refused",
  "unreachable",
  "dropped",
  "dns",
  "error",
] as const;

export type Verdict = typeof verdicts[number];

/** The part of a probe in which it ended. */
export type Phase = "resolve" | "connect" | "tls" | "send" | "reply";

/** How a probe ended, not yet judged. */
export type ProbeEnding =
  /** Connected, with nothing to ask. */
  | { readonly how: "connected"; readonly phase: "connect" | "tls" }
  /** A complete reply arrived, and perhaps the right one. */
  | { readonly how: "answered"; readonly phase: "reply"; readonly right: boolean }
  | Failed;

/** What is known of a failure besides its errno. */
export type Problem =
  /** This host itself refused, or this process was too busy to tell. */
  | "this host"
  | "too busy"
  /** The reply is too long. */
  | "too long"
  | TlsProblem;

/** No complete reply arrived. */
export interface Failed {
  readonly how: "failed";
  readonly phase: Phase;
  readonly kind: SocketFailureKind;
  /** Such as `ECONNREFUSED`, if the system gave a reason. */
  readonly errno?: string | undefined;
  /** What else is known. */
  readonly problem?: Problem | undefined;
  /** What the runtime says of a handshake that was refused. */
  readonly message?: string | undefined;
}

/** What a probe proves. @param isSlow Whether a right answer took too long. */
export function verdictOf(ending: ProbeEnding, isSlow: boolean): Verdict {
  switch (ending.how) {
    case "connected":
      return isSlow ? "slow" : "open";
    case "answered":
      return !ending.right ? "wrong" : isSlow ? "slow" : "ok";
    case "failed":
      return ending.problem !== undefined
        ? verdictsOfProblems[ending.problem]
        : failures[ending.phase][ending.kind] ?? "error";
  }
}

const verdictsOfProblems: Readonly<Record<Problem, Verdict>> = {
  // What is about this host or this process says nothing about the path.
  "this host": "error",
  "too busy": "error",
  "too long": "wrong",
  "not TLS": "wrong",
  "TLS refused": "wrong",
  untrusted: "untrusted",
  "expires soon": "wrong",
};

const rejections = { REFUSED: "refused", UNREACHABLE: "unreachable" } as const;
const cuts = { RESET: "reset", CLOSED: "closed" } as const;

const failures: Readonly<Record<Phase, Partial<Record<SocketFailureKind, Verdict>>>> = {
  resolve: { DNS: "dns", TIMEOUT: "dns" },
  connect: { ...rejections, ...cuts, TIMEOUT: "dropped" },
  tls: { ...cuts, TIMEOUT: "silent" },
  // Datagrams only: over a connection, a failure to send shows up when receiving.
  send: rejections,
  reply: { ...rejections, ...cuts, TIMEOUT: "silent" },
};

const kinds: Readonly<Partial<Record<Verdict, FailureKind>>> = {
  closed: "CLOSED",
  reset: "RESET",
  silent: "TIMEOUT",
  refused: "REFUSED",
  unreachable: "UNREACHABLE",
  dropped: "TIMEOUT",
  dns: "DNS",
};

/** The kind of failure that an unexpected verdict is. */
export function failureOf(verdict: Verdict): FailureKind {
  return kinds[verdict] ?? "ERROR";
}

/** The verdict that got furthest. */
export function furthest(found: readonly Verdict[]): Verdict {
  return verdicts.find((verdict) => found.includes(verdict)) ?? "error";
}

/** Whether the probe got what it asked for; no block does. */
export function isAnswer(verdict: Verdict | "blocked"): boolean {
  return isReply(verdict) || verdict === "open";
}

/** Whether the right reply came. */
export function isReply(verdict: Verdict | "blocked"): boolean {
  return verdict === "ok" || verdict === "slow";
}

/** Whether a verdict shows that a host is on: the control for a block at its address. */
export function showsHost(verdict: Verdict, protocol: Protocol): boolean {
  return verdict === "refused" || getsThrough(verdict, protocol);
}

/** Whether a verdict means a blocked path. Over UDP refused, dropped and silent look alike. */
export function isBlocked(verdict: Verdict, protocol: Protocol): boolean {
  return verdict === "refused" || verdict === "dropped" || verdict === "unreachable" ||
    (protocol === "udp" && verdict === "silent");
}

/** Whether a verdict shows that the path is open, whatever is at its end. */
export function getsThrough(verdict: Verdict, protocol: Protocol): boolean {
  return verdict !== "dns" && verdict !== "error" && !isBlocked(verdict, protocol);
}
