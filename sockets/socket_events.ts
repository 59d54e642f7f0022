import type { Endpoint } from "../protocol/addresses.ts";

/** Bytes of a piece of data that are kept to be shown. */
export const KEPT_BYTES = 4_096;

/** The socket calls that are reported, by their C names (POSIX, `<sys/socket.h>`). */
export type SocketCall =
  | "socket"
  | "bind"
  | "listen"
  | "connect"
  | "accept"
  | "send"
  | "recv"
  | "sendto"
  | "recvfrom"
  | "shutdown"
  | "close";

/**
 * One thing that a program did with a socket.
 *
 * Deno makes the system calls; an event stands for one operation of Deno's, so
 * what is reported as one `send` was one write.
 */
export interface SocketEvent {
  /** When the call was made (`send`, `connect`, ...) or when it returned something (`recv`, `accept`), as `performance.now()`. */
  readonly time: number;
  /** Milliseconds that the call took; absent where Deno makes it together with others. */
  readonly duration?: number | undefined;
  /** The program: `calc-server`, `calc-client`. */
  readonly who: string;
  /** Distinguishes the sockets of a process: counts from 1. */
  readonly socket: number;
  readonly call: SocketCall;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  /** What was sent or received; a `recv` of no bytes is the end of the stream. */
  readonly data?: Uint8Array | undefined;
  /** How many bytes there were, if `data` is only their beginning. @default {data.length} */
  readonly bytes?: number | undefined;
  /** Whether a `close` sent a reset instead of the end of the stream (`SO_LINGER`). @default {false} */
  readonly reset?: boolean | undefined;
  /** Why it failed, by its errno name (`ECONNREFUSED`). */
  readonly error?: string | undefined;
}

/** Receives events as they happen. Must not throw. */
export interface Trace {
  (event: SocketEvent): void;
  /**
   * Whether it takes the next event of a socket. Calls whose events it does not take are not
   * observed and cost nothing extra. @default {it takes all}
   */
  takes?(socket: number, call: SocketCall): boolean;
}
