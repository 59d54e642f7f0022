import type { Endpoint } from "../protocol/addresses.ts";

/**
 * A connection as the engines use it: small enough that a `Deno.Conn`, a socket of `node:net`
 * and a traced or a disturbed connection can all be one.
 *
 * Disposing of it closes it, and may happen twice.
 */
export interface Stream extends Disposable {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /**
   * Reads what is there, but waits for the first byte.
   *
   * @returns bytes read into the buffer; `null` at the end of the stream.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /** @returns bytes that were taken, which may be a part. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the sending side; the peer may go on sending. */
  closeWrite(): Promise<void>;
  /** Closes both sides; a pending read or write is interrupted. May be called twice. */
  close(): void;
  /** Closes with a TCP reset. Absent where this stream can't. */
  reset?(): void;
}

/** Accepts connections on one address. */
export interface StreamListener {
  readonly addr: Endpoint;
  accept(): Promise<Stream>;
  close(): void;
}
