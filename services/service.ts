import type { Endpoint, Protocol } from "../protocol/addresses.ts";

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
  /** Line that says that the server runs. */
  readonly running: string;
  /** Line that reports each new connection, where the service has one. */
  readonly connected?: string;
  /** Whether a connection alone is all that is asked for: it is closed once accepted. */
  readonly closesAtOnce?: boolean;
  /** Whether the server shows its user each request: a message is meant to be read. */
  readonly showsRequests?: boolean;
  /** Whether it needs connections that can be reset, where the transport has them. */
  readonly resets?: boolean;
  /** Connections served at a time if nothing else is said, where that is fewer than usual. */
  readonly maxConnections?: number;
  /** The reply to one request: one line without its end, or what is done instead. It must not throw. */
  reply(request: string, peer: Asker): string | ReplyPlan;
  /**
   * Whether a text is surely one of its replies, and not a request. Over UDP
   * such a datagram is not answered, so that two servers never keep each other
   * talking. Error replies need not be listed.
   */
  isReply?(text: string): boolean;
  /**
   * Whether a text is a request to such a service. Where it is known, over UDP only
   * such replies count as what could keep two servers talking; else all do
   * that {@linkcode isReply} doesn't know.
   */
  isRequest?(text: string): boolean;
  /** Whether it sends no more over UDP than it was sent, beyond this host. @default {false} */
  readonly neverAmplifies?: boolean;
  /** A flag of the server that only this service has. */
  readonly flag?: ServiceFlag;
}

/** Who asks a service, and how the request came. */
export interface Asker {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** The server's own end. */
  readonly local: Endpoint;
  /** Whether a `"reset"` can be done on this connection; never over UDP. */
  readonly canReset: boolean;
}

/** A reply that is more than a line of text: what is done, step by step. */
export interface ReplyPlan {
  /** What the server's events show as the reply. */
  readonly shown: string;
  /**
   * What is done, in this order. Each step is taken only when the one before is
   * done, so a long reply need not be in memory at once.
   *
   * @param ending The line end that the request came with: what ends the reply, too.
   */
  steps(ending: "\n" | ""): Iterable<ReplyStep>;
}

/**
 * One step of a reply. Nothing else of its connection is answered until the
 * steps are done; the server ends them at its own deadlines, and when it stops.
 *
 * Over UDP each `send` is a datagram, the last four do nothing, and all steps are
 * known before the first is taken.
 */
export type ReplyStep =
  /** Sends the bytes. */
  | { readonly send: Uint8Array }
  /** Lets so many milliseconds pass. */
  | { readonly waitMs: number }
  /** Shuts down sending; what the peer sends is read and thrown away until it ends, too. */
  | "end"
  /** Closes so that what was sent still arrives, soon after. */
  | "close"
  /** Closes with a reset; with an ordinary close where that is not possible. */
  | "reset"
  /** Sends nothing more; what the peer sends is read and thrown away until it leaves. */
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
   * The service with another value of the flag.
   *
   * @throws {RangeError} that says what the value must be.
   */
  apply(value: string): Service;
}
