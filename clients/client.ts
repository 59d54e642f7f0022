import type { Protocol } from "../protocol/addresses.ts";
import type { Challenge } from "./challenge.ts";

/**
 * What a client asks and what it makes of the answer, whichever transport
 * carries it. It knows no socket: {@linkcode file://./call/call.ts} has the call.
 */
export interface Client {
  /** Short name, as in `calc-client`. */
  readonly name: string;
  /** What may stand after the flags, as the help shows it. */
  readonly usage: string;
  /** A few sentences for its help. */
  readonly about: string;
  /** What to give it after the flags, one try each. */
  readonly examples: readonly string[];
  /** What a terminal is asked for the next request with, where requests are read from stdin. */
  readonly prompt?: string;
  /** What is said at a terminal of what to type. Without it `help` is a request like any other. */
  readonly dialogue?: {
    /** What may be typed, in a few words. */
    readonly toType: string;
    /** A few sentences on it. */
    readonly help: string;
  };
  /**
   * The requests that the words of the command line make; `undefined` where
   * they are to be read from stdin. None at all means that connecting is enough;
   * where there are no connections, `greeting` is sent.
   *
   * @throws {RequestError} if the words make no request.
   */
  requests(words: readonly string[]): readonly string[] | undefined;
  /** What is sent over UDP by a client that has nothing to ask. */
  readonly greeting?: string;
  /** What carries a request over UDP, where that is more than the request itself. */
  datagramOf?(request: string): string;
  /** The one right answer to a request, where there is one. */
  expected?(request: string): string | undefined;
  /**
   * A question to find out whether such a server is alive, made anew each time.
   *
   * @param size Bytes that the request is to have, where it can have more than it needs.
   */
  challenge(protocol: Protocol, size?: number): Challenge;
}

/** The words of a command line make no request. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** What to write instead, where there is more to say than the message does. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** What a client sends: over UDP one that has nothing to ask sends its greeting. */
export function requestsOver(
  protocol: "tcp" | "udp" | "unix",
  client: Client,
  words: readonly string[],
): readonly string[] | undefined {
  const requests = client.requests(words);
  const greets = protocol === "udp" && client.greeting !== undefined && requests?.length === 0;
  return greets ? [client.greeting] : requests;
}
