import type { Endpoint, Protocol } from "../../protocol/addresses.ts";

/** How much of the replies has arrived, and when. */
export interface Received {
  /** Bytes, line ends included. */
  readonly bytes: number;
  /** When the last of them arrived, as `performance.now()`; 0 if none has. */
  readonly at: number;
}

/** A conversation with a server: requests go out, replies come in, in the same order. */
export interface Call extends Disposable {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** This end; over UDP, the socket of the last request. */
  readonly local: Endpoint;
  /** Whether the peer can separate several requests sent at once. */
  readonly framed: boolean;
  /** Whether the stream ended with the last reply, which may then be incomplete. */
  readonly ended: boolean;
  /** What has arrived so far. */
  readonly received: Received;
  /**
   * Sends requests, each a line without its end.
   *
   * Never throws: replies that the peer sent before it left can still be
   * received, so {@linkcode receive}, which must be called concurrently, reports
   * how the call ended, even if the peer reads nothing.
   */
  send(requests: readonly string[]): Promise<void>;
  /**
   * Receives the next reply, and all others that arrived with it.
   *
   * @param timeout Milliseconds to wait. @default {as for every reply}
   * @throws {SocketFailure} of kind `TIMEOUT`, `RESET`, `CLOSED`, or `ERROR` if it is not a reply.
   */
  receive(timeout?: number): Promise<string[]>;
  /**
   * Resolves once the peer acts without a request: it sends data, which
   * {@linkcode receive} then returns, or ends. Never resolves over UDP. May be
   * left pending, and called again; never throws.
   */
  unasked(): Promise<"data" | "end" | "reset">;
}
