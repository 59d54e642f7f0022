import type { Endpoint, Protocol } from "../protocol/addresses.ts";
import type { ServerSide } from "../talk/dialogue.ts";

/**
 * What a server does for its clients, whichever transport carries it.
 *
 * A service knows no socket: the server gives it a request's text and sends
 * the reply's text back. A service that teaches how connections misbehave
 * answers with a {@linkcode ReplyPlan} instead.
 */
export interface Service {
  /** Short name, as in `calc-server`. */
  readonly name: string;
  /** Line printed once the server is running. */
  readonly running: string;
  /** Line that reports each new connection, if the service has one. */
  readonly connected?: string;
  /** Whether connections are closed as soon as they are accepted, without a request. */
  readonly closesAtOnce?: boolean;
  /** Whether the server shows its user each request: a message is meant to be read. */
  readonly showsRequests?: boolean;
  /** Whether it needs connections that can be reset, if the transport supports them. */
  readonly resets?: boolean;
  /** The reply to one request: one line without its line end, or a plan. Must not throw. */
  reply(request: string, requester: Requester): string | ReplyPlan;
  /**
   * Whether a text is certainly one of its replies and not a request. Over UDP
   * such a datagram is not answered, so that two servers never keep each other
   * talking. Error replies need not be recognized.
   */
  isReply?(text: string): boolean;
  /**
   * Whether a text is a request to such a service. If defined, only replies that
   * are also requests count as able to keep two servers talking over UDP;
   * otherwise all replies do that {@linkcode isReply} doesn't recognize.
   */
  isRequest?(text: string): boolean;
  /**
   * Whether a text may be a whole request. If defined, what comes a key at a time is awaited until
   * it is, or the line ends; otherwise it is a request as soon as its client pauses.
   */
  isWhole?(text: string): boolean;
  /** Starts a conversation with one client, instead of replying to each request on its own. */
  converse?(protocol: Protocol): ServerSide;
  /** Over what it can be served besides Unix sockets. @default {TCP and UDP} */
  readonly protocols?: readonly ["tcp" | "udp"];
  /** The path of the conversation file that it plays, if its user has named one. */
  readonly file?: string;
  /** Whether it never sends more over UDP than it received, except on loopback. @default {false} */
  readonly neverAmplifies?: boolean;
  /** A server flag that only this service has. */
  readonly flag?: ServiceFlag;
}

/** Who sent a request, and how. */
export interface Requester {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** The server's own end. */
  readonly local: Endpoint;
  /** Whether this connection can be reset; never over UDP. */
  readonly canReset: boolean;
}

/** A reply that is more than a line of text: a series of steps. */
export interface ReplyPlan {
  /** What the server's events show as the reply. */
  readonly shown: string;
  /**
   * The steps, in order. Each is taken only when the one before is done, so a
   * long reply need not be in memory at once.
   *
   * @param ending The line end of the request, which also ends the reply.
   */
  steps(ending: "\n" | ""): Iterable<ReplyStep>;
}

/**
 * One step of a reply. Its connection's next request is not answered until the
 * steps are done; the server ends them at its own deadlines, and when it stops.
 *
 * Over UDP each `send` is a datagram, the last four kinds do nothing, and all
 * steps are collected before the first is taken.
 */
export type ReplyStep =
  /** Sends the bytes. */
  | { readonly send: Uint8Array }
  /** Waits this many milliseconds. */
  | { readonly waitMs: number }
  /** Shuts down sending; discards input until the peer ends its side too. */
  | "end"
  /** Closes shortly after, so that what was sent still arrives. */
  | "close"
  /** Closes with a reset, or normally where that is not possible. */
  | "reset"
  /** Sends nothing more; discards input until the peer leaves. */
  | "silence";

/** A flag with a value that changes a service. */
export interface ServiceFlag {
  /** Its name, without the dashes. */
  readonly name: string;
  /** What the help calls the value, in capitals. */
  readonly value: string;
  readonly about: string;
  readonly default: string;
  /**
   * Returns the service with this value of the flag.
   *
   * @throws {RangeError} that says what the value must be.
   */
  apply(value: string): Service;
}
