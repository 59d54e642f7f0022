import type { EndReason } from "./server.ts";

/** What a connection is doing. */
export type ConnectionState =
  /** It waits for its peer's next request. */
  | "idle"
  /** A request has begun to arrive. */
  | "receiving"
  /** The input it has read waits for its turn to be answered. */
  | "queued"
  /** Replies are being written. */
  | "replying"
  /** It waits within a reply, as its service asked. */
  | "pausing"
  /** Its service will never answer it again: it waits for its peer to leave. */
  | "silent"
  /** Nothing more is answered: it waits for its peer to read the replies and leave. */
  | "lingering"
  | "closed";

/** Why a connection ends when its time in a state is up. */
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
