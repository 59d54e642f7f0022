import type { Endpoint, Protocol } from "../../protocol/addresses.ts";
import type { Line } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import type { Trace } from "../../sockets/socket_events.ts";

/** What every server takes, whichever transport it uses. */
export interface ServerOptions {
  /** Serves one connection, or one datagram, and stops. @default {false} */
  readonly once?: boolean | undefined;
  /** Bytes that a request may have, its line end not counted. @default {defaultLimits.maxRequest} */
  readonly maxRequest?: number | undefined;
  /** Stops the server: nothing more is accepted, what has arrived is answered. */
  readonly signal?: AbortSignal | undefined;
  readonly events?: ServerEvents | undefined;
  /** Takes what happens to the server's sockets. Without it nothing is watched, at no cost. */
  readonly trace?: Trace | undefined;
}

/** Where a server on the Internet protocols listens. */
export interface AddressOptions {
  /** IP addresses. @default {both loopback addresses, those that the host has} */
  readonly addresses?: readonly string[] | undefined;
  /** Port, 0-65535; 0 takes any free one, the same on every address. */
  readonly port: number;
  /** Shares the port with other processes that share it: Linux spreads connections over them. @default {false} */
  readonly reusePort?: boolean | undefined;
}

/** Limits of a server with connections. */
export interface StreamOptions extends ServerOptions {
  /** Connections served at a time. @default {the service's, or defaultLimits.maxConnections} */
  readonly maxConnections?: number | undefined;
  /** Milliseconds a connection may be idle. @default {defaultLimits.idleTimeout} */
  readonly idleTimeout?: number | undefined;
  /** Milliseconds a request may take to arrive whole, and replies to be taken. @default {defaultLimits.requestTimeout} */
  readonly requestTimeout?: number | undefined;
  /** Milliseconds that connections are given to end once the server stops. @default {defaultLimits.grace} */
  readonly grace?: number | undefined;
}

/** What holds where a limit is not given. */
export const defaultLimits = {
  maxRequest: 65_536,
  maxConnections: 10_000,
  idleTimeout: 300_000,
  requestTimeout: 10_000,
  grace: 5_000,
} as const;

/** Milliseconds in which a request that had arrived when the server stopped is read. */
export const ARRIVED_MS = 50;
/** What a request gets as its answer that is not text. */
export const NOT_UTF8 = `${ERROR_PREFIX}the request is not UTF-8 text`;

/** Who asks: a connection, or the sender of one datagram. */
export interface Peer {
  /** Counts connections, or datagrams, from 1. */
  readonly id: number;
  readonly remote: Endpoint;
  /** The server's own end. */
  readonly local: Endpoint;
}

/** A connection as its server reports it. */
export interface ConnectionPeer extends Peer {
  /** When it was accepted, as `performance.now()`. */
  readonly acceptedAt: number;
  /** Requests answered so far. */
  readonly requests: number;
}

/** Why a connection ended. */
export type EndReason =
  | "end of stream"
  | "served"
  | "reset"
  | "idle timeout"
  | "request timeout"
  | "reply timeout"
  | "request too long"
  | "server is full"
  | "server stops"
  | "failed";

/** What a server reports of its work. A callback must not throw. */
export interface ServerEvents {
  /** A connection was accepted. */
  connected?: ((connection: ConnectionPeer) => void) | undefined;
  /** A request (`null`: it was not UTF-8) was answered: its reply is written, or was carried out to its end. */
  answered?: ((peer: Peer, request: Line, reply: string) => void) | undefined;
  /** A connection ended. */
  closed?: ((connection: ConnectionPeer, reason: EndReason) => void) | undefined;
  /** A connection was turned away, as the server is full. */
  rejected?: ((connection: ConnectionPeer) => void) | undefined;
  /** A datagram was left without an answer, or its answer could not be sent. */
  ignored?: ((peer: Peer, why: string) => void) | undefined;
  /** Accepting or receiving failed; it is tried again after a pause. */
  acceptFailed?: ((error: Error) => void) | undefined;
}

/** The port of the ends, which is the same for all. */
export function commonPort([first]: readonly Endpoint[]): number | undefined {
  return first !== undefined && "port" in first ? first.port : undefined;
}

/** A running server. It ends when its scope does. */
export interface Server extends AsyncDisposable {
  readonly protocol: Protocol;
  /** Where it listens, with the real port. */
  readonly addresses: readonly Endpoint[];
  /** The port, the same on every address; `undefined` for a Unix socket. */
  readonly port: number | undefined;
  /** Connections that were taken so far, or datagrams that were answered. */
  readonly served: number;
  /** Connections that are open, or datagrams whose answer is not done. */
  readonly open: number;
  /** Resolves once the server has stopped and every connection has ended. */
  readonly finished: Promise<void>;
}
