import type { SocketFailureKind } from "../../sockets/errno.ts";

/** A question to the way between a client and a server, and how its answer is found. */
export interface Question<Way> {
  /** Names it on the command line and in reports: `half-close-late`. */
  readonly id: string;
  /** What is asked about, in a few words. */
  readonly sentence: string;
  /** What it means for an application if it is not as without a forwarder: two sentences. */
  readonly explain: string;
  /**
   * Asks.
   *
   * @throws {Broken} if the answer is not the one that there is without a forwarder.
   */
  ask(way: Way): Promise<Answer>;
}

/** An answer that does not count against the way. */
export interface Answer {
  readonly status: "pass" | "note" | "skip";
  /** What was seen. */
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

/** Something was seen that is not seen without a forwarder. */
export class Broken extends Error {
  override readonly name = "Broken";
  /** How the connection failed, where that is why. */
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

/** Milliseconds since a moment of `performance.now()`. */
export function since(start: number): number {
  return performance.now() - start;
}
