import { errnoOf } from "../../sockets/errno.ts";
import { Failure } from "../errors/failure.ts";
import { fileFailure } from "../errors/file_failure.ts";
import { writeWhole } from "./write_whole.ts";

/**
 * Writes a file that exists while it is in scope: it gives a script the port of a
 * server that took any free one. At the end it is removed, unless another file has
 * taken its place.
 *
 * @throws {Failure} of kind `ERROR` if it can't be written.
 */
export function writePortFile(path: string, text: string): Disposable {
  try {
    refuseUnlikeFile(path);
    const own = writeWhole(path, text);
    return { [Symbol.dispose]: () => removeOwn(path, own) };
  } catch (cause) {
    const hint = "choose a --port-file in a folder that exists and can be written to";
    throw cause instanceof Failure ? cause : fileFailure("write the port file", path, cause, hint);
  }
}

/** Refuses a path such as a device: renaming would replace it, given the permission. */
function refuseUnlikeFile(path: string): void {
  try {
    const { isFile, isSymlink } = Deno.lstatSync(path);
    if (isFile || isSymlink) return;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  throw new Failure("ERROR", `cannot write the port file ${path}: it is not a file`, {
    hint: "choose another path",
  });
}

function removeOwn(path: string, own: Deno.FileInfo): void {
  try {
    const { ino, dev } = Deno.lstatSync(path);
    if (ino === own.ino && dev === own.dev) Deno.removeSync(path);
  } catch {
    // It is already removed.
  }
}
