import type { SocketFailureKind } from "../../sockets/errno.ts";

/** A question about the path between a client and a server, and how to answer it. */
export interface Question<Way> {
  /** Names it on the command line and in reports: `half-close-late`. */
  readonly id: string;
  /** What is asked about, in a few words. */
  readonly sentence: string;
  /** What a failure means for an application, in two sentences. */
  readonly explain: string;
  /**
   * Asks.
   *
   * @throws {Broken} if the answer differs from the one without a forwarder.
   */
  ask(way: Way): Promise<Answer>;
}

/** An answer that is not a failure. */
export interface Answer {
  readonly status: "pass" | "note" | "skip";
  /** What was observed. */
  readonly detail: string;
}

export function pass(detail: string): Answer {
  return { status: "pass", detail };
}

export function note(detail: string): Answer {
  return { status: "note", detail };
}

export function skip(detail: string): Answer {
  return { status: "skip", detail };
}

/** Something happened that does not happen without a forwarder. */
export class Broken extends Error {
  override readonly name = "Broken";
  /** How the connection failed, if that is why. */
  readonly kind: SocketFailureKind;

  constructor(detail: string, kind: SocketFailureKind = "ERROR", cause?: unknown) {
    super(detail, { cause });
    this.kind = kind;
  }
}

/** `0.8 ms`, `1200 ms`. */
export function inMs(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

/** Milliseconds since a `performance.now()` time. */
export function since(start: number): number {
  return performance.now() - start;
}
