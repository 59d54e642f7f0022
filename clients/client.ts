/**
 * What a client asks and what it makes of the answer, whichever transport
 * carries it. It knows no socket: {@linkcode file://./call.ts} has the call.
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
  /**
   * The requests that the words of the command line make; `undefined` where
   * they are to be read from stdin. None at all means that connecting is enough;
   * where there are no connections, `greeting` is sent.
   *
   * @throws {Failure} of kind `USAGE` if the words make no request.
   */
  requests(words: readonly string[]): readonly string[] | undefined;
  /** What is sent over UDP by a client that has nothing to ask. */
  readonly greeting?: string;
  /** The one right answer to a request, where there is one. */
  expected?(request: string): string | undefined;
}
