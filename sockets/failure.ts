import type { Endpoint, Protocol } from "../protocol/addresses.ts";
import type { SocketFailureKind } from "./errno.ts";

/** What a socket failed to do, and with what. Facts only: `cli/` puts them into words. */
export type SocketFacts =
  | ResolveFacts
  | ListenFacts
  | ConnectFacts
  | SendFacts
  | ReplyFacts;

/** A host name did not resolve (`DNS`) or the resolver was silent (`TIMEOUT`). */
export interface ResolveFacts {
  readonly phase: "resolve";
  readonly host: string;
  /** Milliseconds waited for it, if it timed out. */
  readonly timeoutMs?: number;
}

/** A server can't bind its address (`BIND`). */
export interface ListenFacts {
  readonly phase: "listen";
  readonly endpoint: Endpoint;
  /** Maximum bytes of a path, if that was the problem. */
  readonly most?: number | undefined;
  /** Why, if no errno says it. */
  readonly problem?: "not a socket" | "in use" | "path too long" | undefined;
}

/** No address could be connected to (`REFUSED`, `UNREACHABLE`, `RESET`, `TIMEOUT`, `ERROR`). */
export interface ConnectFacts {
  readonly phase: "connect";
  readonly attempts: readonly Attempt[];
  readonly protocol: Protocol;
  /** Milliseconds allowed for it. */
  readonly timeoutMs: number;
  /** What is wrong with the path of a Unix socket, if that was the problem. */
  readonly problem?: "nothing" | "not a socket" | "path too long" | undefined;
}

/** One address that could not be connected to. */
export interface Attempt {
  readonly endpoint: Endpoint;
  readonly kind: SocketFailureKind;
  readonly error: unknown;
}

/** A datagram could not be sent. */
export interface SendFacts {
  readonly phase: "send";
  readonly endpoint: Endpoint;
  readonly protocol: Protocol;
}

/** A request got no reply (`TIMEOUT`, `RESET`, `CLOSED`), or not a valid one (`ERROR`). */
export interface ReplyFacts {
  readonly phase: "reply";
  readonly endpoint: Endpoint;
  readonly protocol: Protocol;
  /** Milliseconds allowed for it. */
  readonly timeoutMs: number;
  /** Bytes of a reply received so far. */
  readonly received: number;
  /** What is wrong with a reply that was received. */
  readonly problem?: "too long" | "not text" | undefined;
}

/** A socket could not do what it was asked to do. */
export class SocketFailure extends Error {
  override readonly name = "SocketFailure";
  readonly kind: SocketFailureKind;
  readonly facts: SocketFacts;

  constructor(kind: SocketFailureKind, facts: SocketFacts, cause?: unknown) {
    super(`Cannot ${facts.phase}: ${kind}`, { cause });
    this.kind = kind;
    this.facts = facts;
  }
}
