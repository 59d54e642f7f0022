import { errnoOf, messageOf } from "../../sockets/errno.ts";
import { Failure } from "../errors/failure.ts";

/**
 * Writes a file that exists while it is in scope: it gives a script the port of a
 * server that took any free one.
 *
 * It is written under a new name in the same folder, then renamed: readers never
 * see half of it, and an existing link is not followed. At the end it is removed,
 * unless another file has taken its place.
 *
 * @throws {Failure} of kind `ERROR` if it can't be written.
 */
export async function writePortFile(path: string, text: string): Promise<AsyncDisposable> {
  const beside = `${path}.${crypto.randomUUID()}`;
  try {
    await refuseUnlikeFile(path);
    const own = await writeNew(beside, text);
    await Deno.rename(beside, path);
    return { [Symbol.asyncDispose]: () => removeOwn(path, own) };
  } catch (cause) {
    await remove(beside);
    const hint = "choose a --port-file in a folder that exists and can be written to";
    throw new Failure("ERROR", `cannot write the port file: ${messageOf(cause)}`, { cause, hint });
  }
}

/** Refuses a path such as a device: renaming would replace it, given the permission. */
async function refuseUnlikeFile(path: string): Promise<void> {
  try {
    const { isFile, isSymlink } = await Deno.lstat(path);
    if (!isFile && !isSymlink) throw new TypeError(`${path} is not a file`);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

async function writeNew(path: string, text: string): Promise<Deno.FileInfo> {
  using file = await Deno.open(path, { write: true, createNew: true });
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
  return await file.stat();
}

async function removeOwn(path: string, own: Deno.FileInfo): Promise<void> {
  try {
    const { ino, dev } = await Deno.lstat(path);
    if (ino === own.ino && dev === own.dev) await remove(path);
  } catch {
    // It is already removed.
  }
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path).catch(() => {}); // already gone is fine
}
