/** The ways in which netdemo fails, as the first word of its messages. */
export type FailureKind =
  | "ERROR"
  | "USAGE"
  | "DNS"
  | "REFUSED"
  | "UNREACHABLE"
  | "RESET"
  | "CLOSED"
  | "BIND"
  | "TIMEOUT";

/**
 * What could not be done and why, told in one sentence that names the action
 * and the value.
 *
 * It is a class of its own because the kind decides the exit code, and because
 * no built-in error tells a refused connection from one that timed out.
 */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind: FailureKind;
  /** What to do next, where the thrower knows better than the kind does. */
  readonly hint: string | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    options: ErrorOptions & { hint?: string } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.hint = options.hint;
  }
}

/**
 * The errno name of a system error (`ECONNREFUSED`), where it carries one.
 *
 * Deno gives it as `code` on its own errors and on those of `node:` modules;
 * the class alone does not tell all of them apart (`EMFILE` is a plain Error).
 */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
