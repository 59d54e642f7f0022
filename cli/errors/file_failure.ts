import { reasonOf } from "../../sockets/errno.ts";
import { Failure } from "./failure.ts";

/**
 * Returns the failure of an action on a file that the user named.
 *
 * @param action Such as `write the port file`.
 */
export function fileFailure(action: string, path: string, cause: unknown, hint: string): Failure {
  return new Failure("ERROR", `cannot ${action} ${path}: ${reasonOf(cause)}`, { cause, hint });
}
