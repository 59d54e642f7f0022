/** How much is asked of a program. Each level includes those before it. */
export type Level = "lesson" | "robust" | "stream";

/** Every level, gentle first. */
export const levels: readonly Level[] = ["lesson", "robust", "stream"];

/** Which of the lesson's programs is examined. */
export type ServiceName = "hello" | "message" | "calc";

export const everyService: readonly ServiceName[] = ["hello", "message", "calc"];

/** What is examined: one of the lesson's six programs. */
export interface Subject {
  readonly service: ServiceName;
  readonly role: "server" | "client";
}

/** Every subject by the name that the command line has for it. */
export const subjects: ReadonlyMap<string, Subject> = new Map(
  (["server", "client"] as const).flatMap((role) =>
    everyService.map((service) => [`${service}-${role}`, { service, role }] as const)
  ),
);

/** A value, or one for each service that differs. */
export type PerService<T> = T | Readonly<Record<ServiceName, T>>;

/** What holds for a service. */
export function forService<T extends string>(value: PerService<T>, service: ServiceName): T {
  return typeof value === "string" ? value : value[service];
}

/** What a check is, apart from how it is done: all that help and documentation show. */
export interface CheckFacts {
  /** Names it on the command line: `hangs-up`. */
  readonly id: string;
  readonly level: PerService<Level>;
  readonly services: readonly ServiceName[];
  /** What a right program does, after its name: "survives a division by zero". */
  readonly sentence: PerService<string>;
  /** How the check is made, in one or two sentences. */
  readonly seen: string;
  /** Why it matters, in one sentence. */
  readonly why: string;
  /** What to change, in one sentence. */
  readonly fix: string;
  /** Ids of the checks that this one stands on: if one fails, this one is not judged. */
  readonly needs: readonly string[];
  /** Milliseconds that it may take before it counts as failed, time-outs aside. @default {10_000} */
  readonly limit?: number;
}

/** One rule that a program may break, and how that is seen. */
export interface Check<Driver> extends CheckFacts {
  /**
   * Examines the program; returns if it does what the sentence says.
   *
   * @throws {Finding} if it does not.
   * @throws {Skipped} if that can't be seen here.
   */
  run(driver: Driver): Promise<void>;
}

/** What a failure rests on, in words for a beginner. */
export interface Evidence {
  /** What was sent, as text. */
  readonly sent?: string | undefined;
  /** What should have come. */
  readonly want?: string | undefined;
  /** What came instead. A second line may hold a caret under the first. */
  readonly saw: string;
  /** The program's last words on stderr, where the check knows them better than who runs it. */
  readonly said?: string | undefined;
  /** Whether it rests on nothing coming in time: on a busy machine that is looked at twice. */
  readonly isSilence?: boolean | undefined;
  /** Replaces the check's own fix where the mistake itself is known. */
  readonly fix?: string | undefined;
}

/** Thrown by a check whose program does not do what it should. */
export class Finding extends Error {
  override readonly name = "Finding";
  readonly evidence: Evidence;

  constructor(evidence: Evidence) {
    super(evidence.saw);
    this.evidence = evidence;
  }
}

/** Why a check is skipped that looks at the program as a process. */
export const NO_PROCESS = "needs a program that netdemo starts: give its command after --";

/** Why a check is skipped that needs a connection to be reset. */
export const CANNOT_RESET = "this runtime can't reset a connection (netdemo --version names it)";

/** Thrown by a check that can't be made here: the message says why. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** How a check turned out. */
export interface Outcome {
  readonly check: CheckFacts;
  readonly status: "pass" | "fail" | "skip" | "not-judged";
  /** Why it was skipped, or what it would have needed. */
  readonly reason?: string;
  readonly evidence?: Evidence;
  /** The last words of the program's stderr since the check began. */
  readonly said?: string;
  readonly elapsedMs: number;
}
