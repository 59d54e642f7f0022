import type { Endpoint, Protocol } from "../../../protocol/addresses.ts";
import type { ProxyVersion } from "../../../protocol/proxy_header.ts";
import type { DeviationFacts } from "../../../talk/deviation.ts";
import type { Challenge, TalkQuestion } from "../questions/challenge.ts";
import type { NetworkClock, WaitEnd } from "./network_clock.ts";
import type { Certificate, TlsOptions } from "./tls.ts";
import type { Phase } from "./verdict.ts";

/** What to probe, and how. */
export interface ProbeOptions {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** What to ask; `undefined` to connect only. */
  readonly challenge: Challenge | TalkQuestion | undefined;
  /** Milliseconds for the whole probe; of a conversation, to connect and for each reply. */
  readonly timeout: number;
  /** How to secure the connection. @default {it stays as it is} */
  readonly tls?: TlsOptions | undefined;
  /** The version of the PROXY protocol whose header is sent first. @default {none is} */
  readonly proxyProtocol?: ProxyVersion | undefined;
  readonly clock: NetworkClock;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/** What has been observed so far; a phase that was not reached has no duration. */
export interface Observed {
  connectMs?: number;
  tlsMs?: number;
  sendMs?: number;
  certificate?: Certificate;
  /** Another endpoint that sent a datagram instead of the one asked. */
  stranger?: Endpoint;
  /** How the reply deviates from a conversation file. */
  deviation?: DeviationFacts;
}

/** The state of a probe under way. */
export interface Seen extends Observed {
  phase: Phase;
  sentAt?: number;
  /** When the first byte and the last arrived. */
  firstAt?: number;
  lastAt?: number;
  reply: Uint8Array;
}

/** Why a probe ended itself: silence may also be what completes a reply. */
export type OwnEnd = WaitEnd | "silence" | "cancelled";

/** A probe under way. */
export interface Probing extends ProbeOptions {
  readonly seen: Seen;
  /** Ends it. The reason of its signal is an {@linkcode OwnEnd}. */
  readonly over: AbortController;
}
