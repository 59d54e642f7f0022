import type { SocketFailureKind } from "../sockets/errno.ts";

/** A test without its code: what help and documentation show of it. */
export interface TestFacts {
  /** Names it on the command line and in reports: `half-close-late`. */
  readonly id: string;
  /** What should hold, in a few words. */
  readonly sentence: string;
  /** How it is tested. */
  readonly how?: string | undefined;
  /** What a failure means to those who rely on it. */
  readonly why: string;
  /** What to change after a failure. */
  readonly fix?: string | undefined;
  /** Ids of earlier tests: if one of them fails, this one is not judged. @default {none} */
  readonly needs?: readonly string[] | undefined;
  /** How strict it is, where the tests have levels. */
  readonly level?: string | undefined;
}

/**
 * A test: a value in a table. A file holds those of one group.
 *
 * `D` is the driver, which does to the thing under test what the tests ask for.
 */
export interface Test<D> extends TestFacts {
  /** When to stop it. @default {it ends by itself} */
  readonly limit?: TimeLimit | undefined;
  /**
   * Runs it. To return nothing is to pass.
   *
   * @throws {Finding} if what should hold does not.
   * @throws {Skipped} if that can't be tested here.
   */
  run(driver: D): Promise<Observation | void>;
}

/** How long a test may run. */
export interface TimeLimit {
  readonly milliseconds: number;
  /** What a test that was stopped fails with. */
  readonly evidence: Evidence;
}

/** What was observed in a test that did not fail. A note is worth knowing, and no failure. */
export interface Observation {
  readonly status: "pass" | "note";
  readonly detail: string;
}

export function pass(detail: string): Observation {
  return { status: "pass", detail };
}

export function note(detail: string): Observation {
  return { status: "note", detail };
}

/** What shows that a test failed, in words for the user. */
export interface Evidence {
  /** What was sent, as text. */
  readonly sent?: string | undefined;
  /** What was expected. */
  readonly want?: string | undefined;
  /** What happened instead. A second line may hold a caret under the first. */
  readonly saw: string;
  /** The last words on stderr of the program under test; empty for none. @default {asked of the driver} */
  readonly said?: string | undefined;
  /** Replaces the test's own reason where what was seen matters for another. */
  readonly why?: string | undefined;
  /** Replaces the test's own fix where the exact mistake is known. */
  readonly fix?: string | undefined;
  /**
   * Id of the test that is about this kind of mistake: if that one has failed already, the one that
   * met the mistake again is not judged.
   */
  readonly blames?: string | undefined;
  /** Whether something may only have been late: on a busy machine, such a test runs twice. */
  readonly isSilence?: boolean | undefined;
  /** Whether the tests that need the failed one can run all the same. */
  readonly isUsable?: boolean | undefined;
  /** How a connection failed, if that is why. */
  readonly kind?: SocketFailureKind | undefined;
}

/** Thrown by a test that failed. */
export class Finding extends Error {
  override readonly name = "Finding";
  readonly evidence: Evidence;

  constructor(evidence: Evidence, options?: ErrorOptions) {
    super(evidence.saw, options);
    this.evidence = evidence;
  }
}

/** Thrown by a test that can't run here: the message says why. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}
