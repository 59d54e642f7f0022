import { messageOf, type SocketFailureKind } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { wordsOf } from "./failure_words.ts";
import type { FlagNames } from "./words.ts";

/** The ways in which netdemo fails, as the first word of its messages. */
export type FailureKind = SocketFailureKind | "USAGE";

/** What a failure may say besides its message. */
interface FailureOptions extends ErrorOptions {
  hint?: string | undefined;
  /** @default {that of the kind} */
  exitCode?: number | undefined;
  excerpt?: readonly string[] | undefined;
}

/**
 * A failed action: one sentence that names the action, the value and the cause,
 * and a hint that says what to do next.
 *
 * It has its own class because the kind determines the exit code, and because no
 * built-in error distinguishes a refused connection from one that timed out.
 */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind: FailureKind;
  readonly hint: string | undefined;
  readonly exitCode: number;
  /** Lines that show what the message is about, such as a line of a file. */
  readonly excerpt: readonly string[];

  constructor(kind: FailureKind, message: string, options: FailureOptions = {}) {
    super(message, options);
    this.kind = kind;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCodes[kind];
    this.excerpt = options.excerpt ?? [];
  }
}

/** A failure of kind `USAGE`: the command line, or a file that it names, is wrong. */
export function misuse(message: string, options?: FailureOptions): Failure {
  return new Failure("USAGE", message, options);
}

/** Exit codes by the kind of failure. */
export const exitCodes: Readonly<Record<FailureKind, number>> = {
  ERROR: 1,
  USAGE: 2,
  DNS: 10,
  REFUSED: 11,
  UNREACHABLE: 12,
  RESET: 13,
  CLOSED: 14,
  BIND: 15,
  TIMEOUT: 124,
};

/** What to do about an error that netdemo does not expect. */
export const BUG_HINT = "this is a bug in netdemo; please report it";

/** What a failure is about, so that its words fit. */
export interface FailureContext {
  /** What failed, if that is not the command: `the page`. */
  readonly subject?: string;
  /** How hints name the command's flags. @default {usualFlags} */
  readonly names?: FlagNames;
}

/** Converts whatever was thrown to a failure that can be shown. */
export function asFailure(error: unknown, { subject, names }: FailureContext = {}): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof SocketFailure) {
    const { message, hint } = wordsOf(error, names);
    const text = subject === undefined ? message : `${subject} ${message}`;
    return new Failure(error.kind, text, { cause: error, hint });
  }
  // The function that was running, which a report of the bug should name.
  const [, at] =
    /^ +at (?:async )?([\w.#<>]+) \(/m.exec((error as Error | undefined)?.stack ?? "") ?? [];
  const where = at === undefined ? "" : ` in ${at}`;
  return new Failure("ERROR", `unexpected error${where}: ${messageOf(error)}`, {
    cause: error,
    hint: BUG_HINT,
  });
}
