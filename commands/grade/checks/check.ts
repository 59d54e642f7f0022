/** A check is a test with what differs between the lesson's programs. */
import { cannotReset } from "../../../cli/runtime.ts";
import type { Driver } from "../../../suite/runner.ts";
import type { Test, TestFacts } from "../../../suite/test.ts";
import type { Level, ServiceName } from "../subjects.ts";

/** One value for all services, or one for each. */
type PerService<T> = T | Readonly<Record<ServiceName, T>>;

/** What help and documentation show of a check. */
export interface CheckFacts extends Omit<TestFacts, "level" | "sentence"> {
  readonly level: PerService<Level>;
  readonly services: readonly ServiceName[];
  /** What a correct program does: "survives a division by zero". */
  readonly sentence: PerService<string>;
  readonly how: string;
  readonly fix: string;
  /** Milliseconds that it may take on top of its timeouts before it fails. @default {10_000} */
  readonly limit?: number;
}

/** A rule that a program may break, and the code that checks it. */
export interface Check<D> extends CheckFacts {
  /** As in {@linkcode Test}. */
  run(driver: D): Promise<void>;
}

/** A check as one service is examined with it. */
export type ServiceTest<D> = Test<D> & { readonly level: Level };

/** Milliseconds that a check may take on top of its timeouts, unless it says otherwise. */
const LIMIT_MS = 10_000;
/** Most times that a check waits in vain for an answer. */
const WAITS = 4;

/** Why a check of the program's process is skipped. */
export const NO_PROCESS = "needs a program that netdemo starts: give its command after --";

/** Why a check that resets a connection is skipped. */
export const CANNOT_RESET = `${cannotReset()} (netdemo --version names it)`;

/** Returns a table's facts for a service. */
export function factsFor<C extends CheckFacts>(check: C, service: ServiceName) {
  return {
    ...check,
    level: forService(check.level, service),
    sentence: forService(check.sentence, service),
  };
}

/**
 * Returns a table's checks as tests of a service.
 *
 * @param timeout Milliseconds to wait for each answer.
 */
export function testsOf<D extends Driver>(
  table: readonly Check<D>[],
  service: ServiceName,
  timeout: number,
): ServiceTest<D>[] {
  return table.filter(({ services }) => services.includes(service)).map((check) => {
    const milliseconds = (check.limit ?? LIMIT_MS) + WAITS * timeout;
    const evidence = { saw: `the check was still running after ${milliseconds / 1_000} s` };
    return { ...factsFor(check, service), limit: { milliseconds, evidence } };
  });
}

function forService<T extends string>(value: PerService<T>, service: ServiceName): T {
  return typeof value === "string" ? value : value[service];
}
