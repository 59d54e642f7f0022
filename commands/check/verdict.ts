import type { Protocol } from "../../protocol/addresses.ts";
import type { FailureKind } from "../../cli/failure.ts";
import type { SocketFailureKind } from "../../sockets/errno.ts";

/** What a probe can find. Which got further comes first: a reply before a connection, a refusal before silence. */
export const verdicts = [
  "ok",
  "slow",
  "open",
  "wrong",
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
export type Phase = "resolve" | "connect" | "send" | "reply";

/** How a probe ended, before anyone judges it. */
export type Outcome =
  /** Connected, and nothing was to be asked. */
  | { readonly end: "connected"; readonly phase: "connect" }
  | Answered
  | Failed;

/** A whole reply came. */
export interface Answered {
  readonly end: "answered";
  readonly phase: "reply";
  /** Whether it is what was asked for. */
  readonly right: boolean;
}

/** No whole reply came. */
export interface Failed {
  readonly end: "failed";
  readonly phase: Phase;
  readonly kind: SocketFailureKind;
  /** `ECONNREFUSED`, where the system gave a reason. */
  readonly errno?: string | undefined;
  /** What is wrong with the bytes that came, where they can't be a reply. */
  readonly problem?: "too long" | "not text" | undefined;
}

/** What a judgement depends on beside the outcome. */
export interface Circumstances {
  readonly elapsedMs: number;
  /** Milliseconds from which on what is right is `slow`. @default {never} */
  readonly slowerThan?: number | undefined;
}

/** What a probe proves. */
export function judge(
  outcome: Outcome,
  { elapsedMs, slowerThan = Infinity }: Circumstances,
): Verdict {
  const slow = elapsedMs > slowerThan;
  switch (outcome.end) {
    case "connected":
      return slow ? "slow" : "open";
    case "answered":
      return !outcome.right ? "wrong" : slow ? "slow" : "ok";
    case "failed":
      return judgeFailure(outcome);
  }
}

const failures: Readonly<Record<Phase, Partial<Record<SocketFailureKind, Verdict>>>> = {
  resolve: { DNS: "dns", TIMEOUT: "dns" },
  connect: {
    REFUSED: "refused",
    UNREACHABLE: "unreachable",
    RESET: "reset",
    CLOSED: "closed",
    TIMEOUT: "dropped",
  },
  // A datagram that could not be sent; a connection's failure to send shows in what is received.
  send: { REFUSED: "refused", UNREACHABLE: "unreachable" },
  reply: {
    REFUSED: "refused",
    UNREACHABLE: "unreachable",
    RESET: "reset",
    CLOSED: "closed",
    TIMEOUT: "silent",
  },
};

function judgeFailure({ phase, kind, errno, problem }: Failed): Verdict {
  if (problem !== undefined) return "wrong";
  // No port or no address is left on this host: that says nothing of the way to the other.
  if (errno === "EADDRNOTAVAIL") return "error";
  return failures[phase][kind] ?? "error";
}

const kinds: Readonly<Record<Verdict, FailureKind>> = {
  ok: "ERROR",
  slow: "ERROR",
  open: "ERROR",
  wrong: "ERROR",
  closed: "CLOSED",
  reset: "RESET",
  silent: "TIMEOUT",
  refused: "REFUSED",
  unreachable: "UNREACHABLE",
  dropped: "TIMEOUT",
  dns: "DNS",
  error: "ERROR",
};

/** The kind of failure that a verdict is where another was expected. */
export function failureOf(verdict: Verdict): FailureKind {
  return kinds[verdict];
}

/** The verdict that got furthest. */
export function furthest(found: readonly Verdict[]): Verdict {
  return verdicts.find((verdict) => found.includes(verdict)) ?? "error";
}

/** Whether a verdict shows that a host is on and answers: the control for a block at its address. */
export function showsLife(verdict: Verdict): boolean {
  return verdict === "ok" || verdict === "slow" || verdict === "open";
}

/** Whether a verdict is that of a way that is blocked. Over UDP refused, dropped and silent look alike. */
export function isBlocked(verdict: Verdict, protocol: Protocol): boolean {
  return verdict === "refused" || verdict === "dropped" || verdict === "unreachable" ||
    (protocol === "udp" && verdict === "silent");
}

/** Whether a verdict shows that a way is open, whatever there is at its end. */
export function getsThrough(verdict: Verdict, protocol: Protocol): boolean {
  return verdict !== "dns" && verdict !== "error" && !isBlocked(verdict, protocol);
}
