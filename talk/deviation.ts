import type { Line, Token } from "./talk.ts";

/** How a server did not say what the file shows. */
export type DeviationKind =
  /** It said something else. */
  | "wrong"
  /** It said less, or nothing, until the time was up or the connection ended. */
  | "less"
  /** It said more. */
  | "more";

/** What would have brought an answer. */
export type DeviationHint =
  | "needs line end"
  | "needs more bytes"
  | "speaks first"
  | undefined;

/** The facts of a reply that is not what the file shows. */
export interface DeviationFacts {
  readonly kind: DeviationKind;
  /** The line of the file, and what in it did not come. */
  readonly line: Line;
  readonly token?: Token | undefined;
  /** How many bytes of that did come. @default {0} */
  readonly into?: number | undefined;
  /** The request before it, if there was one. */
  readonly sent: Uint8Array | undefined;
  /** What should have come, as a file shows it, with the values of this conversation. */
  readonly wanted: string;
  readonly came: Uint8Array;
  /** How many of these bytes are right. */
  readonly right: number;
  /** How the connection ended, if it did. */
  readonly ending?: "closed" | "reset" | undefined;
  /** Milliseconds that it had. */
  readonly timeoutMs: number;
  /** Datagrams that came from elsewhere. */
  readonly strangers?: number;
  readonly hint?: DeviationHint;
}

/** A server did not say what the file shows. */
export class TalkDeviation extends Error {
  override readonly name = "TalkDeviation";
  readonly facts: DeviationFacts;

  constructor(facts: DeviationFacts) {
    super(`The server deviates from line ${facts.line.number}: ${facts.kind}`);
    this.facts = facts;
  }
}
