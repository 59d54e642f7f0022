import type { Endpoint, Protocol } from "../../protocol/addresses.ts";
import type { ForeignKind } from "../../protocol/first_bytes.ts";
import type { Line } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import type { SocketFailure } from "../../sockets/failure.ts";
import { guarded } from "../../sockets/guarded.ts";
import type { Trace } from "../../sockets/socket_events.ts";

/** What a server allows its clients. Times are in milliseconds. */
export interface Limits {
  /** Maximum bytes of a request without its line end. */
  readonly maxRequest: number;
  /** Maximum number of open connections. */
  readonly maxConnections: number;
  /** How long a connection may go without requests. */
  readonly idleTimeout: number;
  /** How long a request may take to arrive whole, and its reply to be read. */
  readonly requestTimeout: number;
  /** How long connections have to end once the server stops. */
  readonly grace: number;
}

/** The limits that apply by default. */
export const defaultLimits = {
  maxRequest: 65_536,
  maxConnections: 10_000,
  idleTimeout: 300_000,
  requestTimeout: 10_000,
  grace: 5_000,
} as const satisfies Limits;

/** Limits, where they differ from {@linkcode defaultLimits}. */
export type SomeLimits = { readonly [Limit in keyof Limits]?: Limits[Limit] | undefined };

/** All limits: those that are given, and the default for each other. */
export function allLimits(given: SomeLimits): Limits {
  const limits: Limits = defaultLimits;
  const names = Object.keys(limits) as (keyof Limits)[];
  return Object.fromEntries(
    names.map((name) => [name, given[name] ?? limits[name]]),
  ) as unknown as Limits;
}

/** Options of every server, whichever transport it uses. Over UDP, one limit applies. */
export interface ServerOptions extends Pick<SomeLimits, "maxRequest"> {
  /** Serves one connection, or one datagram, and stops. @default {false} */
  readonly once?: boolean | undefined;
  /** Stops the server: it accepts nothing more, and answers what has arrived. */
  readonly signal?: AbortSignal | undefined;
  readonly events?: ServerEvents | undefined;
  /** Receives the events of the server's sockets. Costs nothing if absent. */
  readonly trace?: Trace | undefined;
}

/** Where a server on the Internet protocols listens. */
export interface AddressOptions {
  /** IP addresses. @default {the loopback addresses that the host has} */
  readonly addresses?: readonly string[] | undefined;
  /** Port, 0-65535; 0 picks any free one, the same on every address. */
  readonly port: number;
  /** Shares the port with other processes that set this: Linux spreads connections over them. @default {false} */
  readonly reusePort?: boolean | undefined;
}

/** Options of a server with connections. */
export interface StreamOptions extends ServerOptions, SomeLimits {}

/** Milliseconds after a stop in which requests that had arrived by then are read. */
export const ARRIVED_MS = 50;
/** The reply to a request that is not text. */
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
  | "other protocol"
  | "server is full"
  | "server stops"
  | "failed";

/** What a server reports about its work. An error of a callback does not concern the server. */
export interface ServerEvents {
  /** A connection was accepted. */
  connected?: ((connection: ConnectionPeer) => void) | undefined;
  /** A request (`null` if it was not UTF-8) was answered: its reply was written, or its plan carried out. */
  answered?: ((peer: Peer, request: Line, reply: string) => void) | undefined;
  /** Something was sent without a request: a greeting, what another client caused, or why the connection is refused. */
  sent?: ((peer: Peer, text: string) => void) | undefined;
  /** A connection ended. */
  closed?: ((connection: ConnectionPeer, reason: EndReason) => void) | undefined;
  /** A connection was turned away because the server is full. */
  rejected?: ((connection: ConnectionPeer) => void) | undefined;
  /** A datagram was not answered, or its answer could not be sent; or a request fits no conversation. */
  ignored?: ((peer: Peer, why: string) => void) | undefined;
  /** An address of this host can't be listened on; the server does without. */
  unbound?: ((failure: SocketFailure) => void) | undefined;
  /** A connection, or a datagram, begins as those of another protocol do. */
  foreign?: ((peer: Peer, kind: ForeignKind) => void) | undefined;
  /** Accepting or receiving failed; the server retries after a pause. */
  acceptFailed?: ((error: Error) => void) | undefined;
}

/** The callbacks, none of which can throw. */
export function guardedEvents(events: ServerEvents = {}): ServerEvents {
  const callbacks = Object.entries(events).filter(([, callback]) => callback !== undefined);
  return Object.fromEntries(callbacks.map(([name, callback]) => [name, guarded(callback)]));
}

/** The port that all the endpoints share; `undefined` for Unix sockets. */
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
  /** Connections accepted so far, or datagrams answered. */
  readonly served: number;
  /** Open connections, or datagrams still being answered. */
  readonly open: number;
  /** Resolves once the server has stopped and every connection has ended. */
  readonly finished: Promise<void>;
}
