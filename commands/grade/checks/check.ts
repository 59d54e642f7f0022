/** A check is a test of a program that speaks some conversation, if that gives ground for it. */
import type { TestFacts } from "../../../suite/test.ts";
import type { Level, Subject } from "../subjects.ts";

/** A value, or how to work it out for a subject. */
export type For<T> = T | ((subject: Subject) => T);

/** What help and documentation show of a check. */
export interface CheckFacts extends Omit<TestFacts, "level" | "sentence" | "fix"> {
  readonly level: For<Level>;
  /** What a correct program does: "survives a division by zero". */
  readonly sentence: For<string>;
  readonly how: string;
  readonly fix: For<string>;
  /** Milliseconds that it may take on top of its timeouts before it fails. @default {10_000} */
  readonly limit?: number;
  /** Whether it is about the lesson alone, so that nobody misses it elsewhere. @default {false} */
  readonly isLessonOnly?: boolean;
  /** Why the conversation gives no ground for it; `undefined` if it does. @default {it does} */
  lacks?(subject: Subject): string | undefined;
}

/** A rule that a program may break, and the code that checks it. */
export interface Check<D> extends CheckFacts {
  /** As a test runs. @throws {Finding} @throws {Skipped} */
  run(driver: D): Promise<void>;
}

/** Why a check that resets a connection is skipped. */
export const CANNOT_RESET = "this runtime can't reset a connection (netdemo --version names it)";
