import type { Endpoint, InternetEndpoint } from "../protocol/addresses.ts";
import { descriptors } from "./descriptors.ts";
import { withZone } from "./zone.ts";

/**
 * One end of a connection: as much of a socket as the engines need, whichever
 * runtime module it comes from.
 *
 * Disposing closes it, and may be done twice.
 */
export interface Stream extends Disposable {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Reads what has arrived, at least one byte; returns how many, or `null` at the end of the stream. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, at least one; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the sending side; what the peer sends can still be read. */
  closeWrite(): Promise<void>;
  /** Closes both sides. A pending read or write fails. */
  close(): void;
  /** Closes with a reset (TCP RST), so that the peer's next call fails; absent if the socket can't. */
  reset?(): void;
}

/** Accepts connections. */
export interface StreamListener {
  readonly addr: Endpoint;
  accept(): Promise<Stream>;
  close(): void;
}

/** A datagram socket: as much of Deno's as the engines need. */
export interface DatagramSocket {
  readonly addr: InternetEndpoint;
  send(bytes: Uint8Array, to: Deno.Addr): Promise<number>;
  receive(buffer: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]>;
  close(): void;
}

/** The two ends of a socket, as far as they are known. */
export type Ends = Partial<Pick<Stream, "local" | "remote">>;

/** A Deno connection, with Nagle's algorithm off (RFC 896). */
export class DenoStream implements Stream {
  readonly #conn: Deno.TcpConn | Deno.UnixConn;
  readonly #ends: Ends;
  readonly #giveBack: () => void;

  /**
   * @param ends Its ends, where their names differ from the system's.
   * @param giveBack Uncounts its descriptor; without it, it is counted here.
   */
  constructor(
    conn: Deno.TcpConn | Deno.UnixConn,
    ends: Ends = {},
    giveBack = descriptors.take(),
  ) {
    this.#conn = conn;
    this.#ends = ends;
    this.#giveBack = giveBack;
    if ("setNoDelay" in conn) setNoDelay(conn);
  }

  get local(): Endpoint {
    if (this.#ends.local !== undefined) return this.#ends.local;
    const local = endpointOf(this.#conn.localAddr);
    return withZone(local, local);
  }

  get remote(): Endpoint {
    const { remote = endpointOf(this.#conn.remoteAddr) } = this.#ends;
    return withZone(remote, endpointOf(this.#conn.localAddr));
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#conn[Symbol.dispose]();
    this.#giveBack();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Otherwise the second of two small writes waits for an acknowledgement: 88 ms instead of 0.03 ms. */
function setNoDelay(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay();
  } catch {
    // The peer has reset it; the first read will report that.
  }
}

/** The endpoint of a Deno address. */
export function endpointOf(addr: Deno.Addr): Endpoint {
  if (addr.transport === "vsock") {
    throw new TypeError("Cannot name the end of a vsock socket");
  }
  return addr;
}

/** The endpoint of a Deno address over TCP or UDP. */
export function internetEndpointOf(addr: Deno.Addr): Deno.NetAddr {
  if (addr.transport === "tcp" || addr.transport === "udp") return addr;
  throw new TypeError(`Cannot name an Internet endpoint: received ${addr.transport}`);
}
