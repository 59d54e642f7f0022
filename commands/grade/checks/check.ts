/** A check is a test of a program that speaks some conversation, if that gives ground for it. */
import type { Driver } from "../../../suite/runner.ts";
import { Skipped, type Test, type TestFacts } from "../../../suite/test.ts";
import type { Level, Subject } from "../subjects.ts";

/** A value, or how to work it out for a subject. */
type For<T> = T | ((subject: Subject) => T);

/** What help and documentation show of a check. */
export interface CheckFacts extends Omit<TestFacts, "level" | "sentence"> {
  readonly level: For<Level>;
  /** What a correct program does: "survives a division by zero". */
  readonly sentence: For<string>;
  readonly how: string;
  readonly fix: string;
  /** Milliseconds that it may take on top of its timeouts before it fails. @default {10_000} */
  readonly limit?: number;
  /** Whether it is about the lesson alone, so that nobody misses it elsewhere. @default {false} */
  readonly isLessonOnly?: boolean;
  /** Why the conversation gives no ground for it; `undefined` if it does. @default {it does} */
  lacks?(subject: Subject): string | undefined;
}

/** A rule that a program may break, and the code that checks it. */
export interface Check<D> extends CheckFacts {
  /** As in {@linkcode Test}. */
  run(driver: D): Promise<void>;
}

/** A check as a test of one subject. */
export type SubjectTest<D> = Test<D> & SubjectFacts;

/** The facts of a check for one subject. */
export interface SubjectFacts extends TestFacts {
  readonly level: Level;
  readonly how: string;
  readonly fix: string;
}

/** Milliseconds that a check may take on top of its timeouts, unless it says otherwise. */
const LIMIT_MS = 10_000;
/** Milliseconds that a closed connection may keep a port. */
const LINGER_MS = 61_000;
/** Most times that a check waits in vain for an answer. */
const WAITS = 4;

/** Why a check of the program's process is skipped. */
export const NO_PROCESS = "needs a program that netdemo starts: give its command after --";

/** Why a check that resets a connection is skipped. */
export const CANNOT_RESET = "this runtime can't reset a connection (netdemo --version names it)";

/** The facts of those checks that apply to a subject. */
export function factsFor<C extends CheckFacts>(
  table: readonly C[],
  subject: Subject,
): readonly (Omit<C, "level" | "sentence"> & SubjectFacts)[] {
  return table.filter((check) =>
    (subject.isFile && !check.isLessonOnly) || check.lacks?.(subject) === undefined
  )
    .map((check) => ({
      ...check,
      level: valueFor(check.level, subject),
      sentence: valueFor(check.sentence, subject),
    }));
}

/**
 * Returns a table's checks as tests of a subject. Those for which a file gives no ground are
 * skipped, and say why.
 *
 * @param timeout Milliseconds to wait for each answer.
 * @param keepsPort Whether a start may have to wait for a port. @default {false}
 */
export function testsOf<D extends Driver>(
  table: readonly Check<D>[],
  subject: Subject,
  timeout: number,
  keepsPort = false,
): SubjectTest<D>[] {
  return factsFor(table, subject).map((check) => {
    const wait = keepsPort ? LINGER_MS : 0;
    const milliseconds = (check.limit ?? LIMIT_MS) + WAITS * timeout + wait;
    const evidence = { saw: `the check was still running after ${milliseconds / 1_000} s` };
    const lack = check.lacks?.(subject);
    const run = lack === undefined ? check.run : () => Promise.reject(new Skipped(lack));
    return { ...check, limit: { milliseconds, evidence }, run };
  });
}

function valueFor<T extends string>(value: For<T>, subject: Subject): T {
  return typeof value === "string" ? value : value(subject);
}
