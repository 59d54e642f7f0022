/**
 * What a server does for its clients, whichever transport carries it.
 *
 * A service knows no socket: the server gives it a request's text and sends
 * the reply's text back.
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
  /** The reply to one request, one line without its end. It must not throw. */
  reply(request: string): string;
  /**
   * Whether a text is surely one of its replies, and not a request. Over UDP
   * such a datagram is not answered, so that two servers never keep each other
   * talking. Error replies need not be listed.
   */
  isReply?(text: string): boolean;
  /** A flag of the server that only this service has. */
  readonly flag?: ServiceFlag;
}

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
