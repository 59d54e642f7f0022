import type { Protocol } from "../protocol/addresses.ts";
import type { Meant } from "../protocol/notation.ts";
import type { Challenge } from "./challenge.ts";

/**
 * What a client asks and how it judges the answer, over any transport. It uses
 * no sockets: that is up to {@linkcode file://./call/call.ts}.
 */
export interface Client {
  /** Short name, as in `calc-client`. */
  readonly name: string;
  /**
   * Returns the requests given by the words of the command line; `undefined` if
   * they must be read from stdin. An empty list means that connecting is enough;
   * over UDP, which has no connections, `greeting` is sent instead.
   *
   * @throws {RequestError} if the words are not a valid request.
   */
  requests(words: readonly string[]): readonly string[] | undefined;
  /** Sent over UDP by a client that has no requests. */
  readonly greeting?: string;
  /** Returns the datagram for a request over UDP, if that is more than the request itself. */
  datagramOf?(request: string): string;
  /** Returns the one right answer to a request, if there is exactly one. */
  expected?(request: string): string | undefined;
  /** Returns what was meant by a request that was answered with an error, if that can be guessed. */
  meant?(request: string): Meant | undefined;
  /**
   * Returns a new question that shows whether such a server is alive.
   *
   * @param size Length of the request in bytes, if it can be padded.
   */
  challenge(protocol: Protocol, size?: number): Challenge;
}

/** The words of a command line are not a valid request. */
export class RequestError extends Error {
  override readonly name = "RequestError";
}

/** Returns what a client sends: over UDP, a client without requests sends its greeting. */
export function requestsOver(
  protocol: Protocol,
  client: Client,
  words: readonly string[],
): readonly string[] | undefined {
  const requests = client.requests(words);
  const greets = protocol === "udp" && client.greeting !== undefined && requests?.length === 0;
  return greets ? [client.greeting] : requests;
}
