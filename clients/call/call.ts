import type { Endpoint, Protocol } from "../../protocol/addresses.ts";

/** How much has come of the replies, and when. */
export interface Received {
  /** Bytes, line ends included. */
  readonly bytes: number;
  /** When the last of them came, as `performance.now()`; 0 before. */
  readonly at: number;
}

/** A conversation with a server: requests go out, replies come in, in the same order. */
export interface Call extends Disposable {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** This end; over UDP that of the last request. */
  readonly local: Endpoint;
  /** Whether the peer can separate several requests that are sent at once. */
  readonly framed: boolean;
  /** Whether the last reply ended with the stream: it may be only a part. */
  readonly ended: boolean;
  /** What has come so far. */
  readonly received: Received;
  /**
   * Sends requests, each a line without its end.
   *
   * It does not throw: what a peer sent before it left is still to be received,
   * so {@linkcode receive}, which is to be called meanwhile, reports how it
   * ended, also if the peer takes nothing.
   */
  send(requests: readonly string[]): Promise<void>;
  /**
   * The next replies: at least one, and all that came with it.
   *
   * @param timeout Milliseconds to wait for it. @default {as for every reply}
   * @throws {SocketFailure} of kind `TIMEOUT`, `RESET`, `CLOSED`, or `ERROR` if what came is no reply.
   */
  receive(timeout?: number): Promise<string[]>;
  /**
   * Resolves once the peer does something while it is not asked: it sends data,
   * which {@linkcode receive} then gives, or ends. Over UDP it never does. It may
   * be left waiting, and called again; never throws.
   */
  unasked(): Promise<"data" | "end" | "reset">;
}
