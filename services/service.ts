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
  /** Line that tells of each new connection, where the service has one. */
  readonly connected?: string;
  /** Whether a connection alone is all that is asked for: it is closed once accepted. */
  readonly closesAtOnce?: boolean;
  /** Whether the server shows its user each request: a message is meant to be read. */
  readonly showsRequests?: boolean;
  /** The reply to one request, one line without its end. It must not throw. */
  reply(request: string): string;
  /** The same service with another reply, where the reply is the user's to choose. */
  withReply?(reply: string): Service;
}

/** The service with the reply that was chosen, if one was and it has a reply to choose. */
export function withChosenReply(service: Service, reply: string | undefined): Service {
  return reply === undefined ? service : service.withReply?.(reply) ?? service;
}
