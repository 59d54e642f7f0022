import type { Endpoint, InternetEndpoint } from "../protocol/addresses.ts";

/** Bytes that a Unix socket's path may have: `sun_path` less its NUL (unix(7); BSD's is 4 shorter). */
export const MAX_UNIX_PATH = Deno.build.os === "linux" ? 107 : 103;

/**
 * One end of a connection: as much of a socket as the engines need, whichever
 * runtime module it comes from.
 *
 * Disposing closes it, and may be done twice.
 */
export interface Stream extends Disposable {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Reads what has come, at least one byte; `null` at the end of the stream. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, at least one; gives how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the sending side; what the peer sends can still be read. */
  closeWrite(): Promise<void>;
  /** Closes both sides. A pending read or write fails. */
  close(): void;
  /** Closes with a reset (TCP RST), so that the peer's next call fails; absent where the socket can't. */
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

/**
 * A connection of Deno's as a {@linkcode Stream}, with Nagle's algorithm off (RFC 896).
 *
 * @param ends Its ends, where they are known by other names than the system's.
 */
export function denoStream(conn: Deno.TcpConn | Deno.UnixConn, ends: Ends = {}): Stream {
  return new DenoStream(conn, ends);
}

interface Ends {
  readonly local?: Endpoint;
  readonly remote?: Endpoint;
}

class DenoStream implements Stream {
  readonly #conn: Deno.TcpConn | Deno.UnixConn;
  readonly #ends: Ends;

  constructor(conn: Deno.TcpConn | Deno.UnixConn, ends: Ends) {
    this.#conn = conn;
    this.#ends = ends;
    if ("setNoDelay" in conn) setNoDelay(conn);
  }

  get local(): Endpoint {
    return this.#ends.local ?? endpointOf(this.#conn.localAddr);
  }

  get remote(): Endpoint {
    return this.#ends.remote ?? endpointOf(this.#conn.remoteAddr);
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
  }

  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}

/** Two small writes would otherwise wait for the peer's acknowledgement: 88 ms instead of 0.03 ms. */
function setNoDelay(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay();
  } catch {
    // The peer has reset it; the first read says so.
  }
}

/** The end that an address of Deno's names. */
export function endpointOf(addr: Deno.Addr): Endpoint {
  if (addr.transport === "vsock") {
    throw new TypeError("Cannot name the end of a vsock socket");
  }
  return addr;
}

/** The end of an Internet socket, as a TCP listener or a UDP socket has it. */
export function internetEndpointOf(addr: Deno.Addr): Deno.NetAddr {
  if (addr.transport === "tcp" || addr.transport === "udp") return addr;
  throw new TypeError(`Cannot name an Internet endpoint: received ${addr.transport}`);
}
