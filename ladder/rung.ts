import type { SocketEvent } from "../sockets/socket_events.ts";

/** The two sides of a ladder. */
export type Side = "client" | "server";

/** What crosses from one side to the other. */
export interface Crossing {
  /** `between`: a relay between the two acts on both sides at once. */
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
  /** Bytes that crossed, if `data` is only the beginning. @default {data.length} */
  readonly bytes?: number | undefined;
  /** Milliseconds that a silence lasted. */
  readonly milliseconds?: number | undefined;
  /** Names of the faults that struck it on the way: `delay`, `garbage`. */
  readonly faults?: readonly string[] | undefined;
  /** What each of them did, in a sentence. */
  readonly explanations?: readonly string[] | undefined;
  /** Whether it never arrives. @default {false} */
  readonly lost?: boolean | undefined;
}

/** One line of the ladder: what each side called, and what crossed. */
export interface Rung {
  /** Milliseconds from the first event to what began to cross here; no rung is earlier than the one above. */
  readonly time: number;
  /** The calls that are known; none for a side that is only seen from outside. */
  readonly client: readonly SocketEvent[];
  readonly server: readonly SocketEvent[];
  readonly crossing?: Crossing | undefined;
}

/** The names of the two sides, as shown above a ladder. */
export interface SideNames {
  readonly client: string;
  readonly server: string;
}
