import type { SocketEvent } from "../sockets/socket_events.ts";

/** The two sides of a ladder. */
export type Side = "client" | "server";

/** What crosses from one side to the other. */
export interface Crossing {
  /** `between`: whoever stands between the two ends both sides at once. */
  readonly from: Side | "between";
  readonly what:
    | "handshake"
    | "data"
    | "end of stream"
    | "reset"
    | "refused"
    | "nothing more"
    | "silence";
  readonly data?: Uint8Array | undefined;
  /** Bytes that crossed, where `data` is only their beginning. @default {data.length} */
  readonly bytes?: number | undefined;
  /** Milliseconds that a silence took. */
  readonly milliseconds?: number | undefined;
  /** What was done to it on its way, by name: `delay`, `garbage`. */
  readonly faults?: readonly string[] | undefined;
  /** It never arrives. @default {false} */
  readonly lost?: boolean | undefined;
}

/** One line of the ladder: what each side called, and what crossed. */
export interface Rung {
  /** Milliseconds since the first event, of the last call in it. */
  readonly time: number;
  /** The calls that are known; a side that is only seen from outside has none. */
  readonly client: readonly SocketEvent[];
  readonly server: readonly SocketEvent[];
  readonly crossing?: Crossing | undefined;
}

/** The names of the two sides, as they stand above a ladder. */
export interface SideNames {
  readonly client: string;
  readonly server: string;
}
