import type { ForeignStart } from "../../protocol/first_bytes.ts";
import type { LineReader } from "../../sockets/line_reader.ts";
import type { Stream } from "../../sockets/stream.ts";
import type { Requester } from "../service.ts";
import type { ConnectionContext } from "./connection_context.ts";
import type { ConnectionLife } from "./connection_life.ts";
import type { ConnectionPeer, EndReason } from "./server.ts";

/** An accepted connection, for what is served on it. */
export interface ServedConnection extends ConnectionPeer, Requester {
  readonly stream: Stream;
  /** Reads the stream, unless a conversation does. */
  readonly reader: LineReader;
  readonly context: ConnectionContext;
  readonly life: ConnectionLife;
  /** Why it ends, once that is known. */
  reason: EndReason | undefined;
  /** What it began with, if that is no request. */
  foreign: ForeignStart | undefined;
  /** Aborts once it ends. */
  readonly ended: AbortSignal;
  /**
   * Ends the connection: nothing more is answered.
   *
   * @param patience Milliseconds that the peer has to read the last reply and leave. 0 closes at
   * once: replies not yet delivered are lost.
   */
  end(reason: EndReason, patience?: number): void;
  /** Writes all of the bytes. */
  send(bytes: Uint8Array): Promise<void>;
  /** Counts requests that were answered: the time without one begins anew. */
  count(requests: number): void;
  /**
   * Waits for the next request, or for the rest of it.
   *
   * @param pending Bytes of it that have come.
   * @param isSame Whether more of the same request is expected, which keeps its deadline.
   */
  expectRequest(pending: number, isSame: boolean): void;
  /**
   * Waits until there is time for long work, if necessary. The server causes this wait, so no
   * deadline applies.
   */
  queue(): Promise<void> | undefined;
}
