/** How strict an examination is. Each level includes the ones before it. */
export type Level = "lesson" | "robust" | "stream";

/** Every level, the easiest first. */
export const levels: readonly Level[] = ["lesson", "robust", "stream"];

/** The lesson's services. */
export type ServiceName = "hello" | "message" | "calc";

export const everyService: readonly ServiceName[] = ["hello", "message", "calc"];

/** What is examined: one of the lesson's six programs. */
export interface Subject {
  readonly service: ServiceName;
  readonly role: "server" | "client";
}

/** Every subject by its name on the command line. */
export const subjects: ReadonlyMap<string, Subject> = new Map(
  (["server", "client"] as const).flatMap((role) =>
    everyService.map((service) => [`${service}-${role}`, { service, role }] as const)
  ),
);

/** One value for all services, or one for each. */
export type PerService<T> = T | Readonly<Record<ServiceName, T>>;

/** Returns the value for a service. */
export function forService<T extends string>(value: PerService<T>, service: ServiceName): T {
  return typeof value === "string" ? value : value[service];
}

/** A check without its code: all that help and documentation show. */
export interface CheckFacts {
  /** Names it on the command line: `hangs-up`. */
  readonly id: string;
  readonly level: PerService<Level>;
  readonly services: readonly ServiceName[];
  /** What a correct program does: "survives a division by zero". */
  readonly sentence: PerService<string>;
  /** How the check works, in one or two sentences. */
  readonly how: string;
  /** Why it matters, in one sentence. */
  readonly why: string;
  /** What to change, in one sentence. */
  readonly fix: string;
  /** Ids of the checks that this one depends on: if one fails, this one is not judged. */
  readonly needs: readonly string[];
  /** Milliseconds that it may take on top of its timeouts before it fails. @default {10_000} */
  readonly limit?: number;
}

/** A rule that a program may break, and the code that checks it. */
export interface Check<Driver> extends CheckFacts {
  /**
   * Examines the program; returns if it does what the sentence says.
   *
   * @throws {Finding} if it does not.
   * @throws {Skipped} if that can't be checked here.
   */
  run(driver: Driver): Promise<void>;
}

/** The evidence for a failure, in words for a beginner. */
export interface Evidence {
  /** What was sent, as text. */
  readonly sent?: string | undefined;
  /** What was expected. */
  readonly want?: string | undefined;
  /** What happened instead. A second line may hold a caret under the first. */
  readonly saw: string;
  /** The program's last words on stderr, where the check knows them better than its caller. */
  readonly said?: string | undefined;
  /**
   * Id of the check that judges this kind of mistake: if that one has failed already, the one that
   * saw the mistake again is not judged.
   */
  readonly blames?: string | undefined;
  /** Whether nothing arrived in time: on a busy machine, such a check runs twice. */
  readonly isSilence?: boolean | undefined;
  /** Replaces the check's own fix where the exact mistake is known. */
  readonly fix?: string | undefined;
}

/** Thrown by a check if the program does not do what it should. */
export class Finding extends Error {
  override readonly name = "Finding";
  readonly evidence: Evidence;

  constructor(evidence: Evidence) {
    super(evidence.saw);
    this.evidence = evidence;
  }
}

/** Why a check of the program's process is skipped. */
export const NO_PROCESS = "needs a program that netdemo starts: give its command after --";

/** Why a check that resets a connection is skipped. */
export const CANNOT_RESET = "this runtime can't reset a connection (netdemo --version names it)";

/** Thrown by a check that can't run here: the message says why. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** How a check turned out. */
export interface Outcome {
  readonly check: CheckFacts;
  readonly status: "pass" | "fail" | "skip" | "not-judged";
  /** Why it was skipped or not judged. */
  readonly reason?: string;
  readonly evidence?: Evidence;
  /** The program's last words on stderr since the check began. */
  readonly said?: string;
  readonly elapsedMs: number;
}
