import type { EndReason } from "./server.ts";

/** What a connection is doing. */
export type ConnectionState =
  /** It waits for its peer's next request. */
  | "idle"
  /** A request has begun to arrive. */
  | "receiving"
  /** What it has read waits for its turn to be answered. */
  | "queued"
  /** Replies are being written. */
  | "replying"
  /** Time passes within a reply, as its service wants it. */
  | "pausing"
  /** Its service never answers it again: it waits until its peer leaves. */
  | "silent"
  /** Nothing more is answered: it waits until its peer has taken the replies and leaves. */
  | "lingering"
  | "closed";

/** Why a connection ends whose time in a state is up. */
export const timeoutReasons: Readonly<Record<ConnectionState, EndReason>> = {
  idle: "idle timeout",
  receiving: "request timeout",
  queued: "request timeout",
  replying: "reply timeout",
  pausing: "reply timeout",
  silent: "idle timeout",
  lingering: "served",
  closed: "served",
};
