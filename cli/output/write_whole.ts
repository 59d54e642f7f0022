import { errnoOf } from "../../sockets/errno.ts";

/**
 * Writes a file under a new name beside it, then renames it: readers never see half of it, and
 * nothing that was planted under a name known in advance is followed or overwritten.
 *
 * An existing file, or a symbolic link, is replaced.
 *
 * @returns the new file, to distinguish it from one that takes its place.
 * @throws {Error} of the file system.
 */
export function writeWhole(path: string, text: string): Deno.FileInfo {
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    const info = writeNew(temporary, text);
    Deno.renameSync(temporary, path);
    return info;
  } catch (error) {
    remove(temporary);
    throw error;
  }
}

/**
 * Writes a report like {@linkcode writeWhole}, to the file that a symbolic link leads to. Anything
 * but a file, such as a pipe, is written to directly: renaming would replace it.
 *
 * @throws {Error} of the file system.
 */
export function writeReport(path: string, text: string): void {
  const existing = statOf(path);
  if (existing !== undefined && !existing.isFile) return Deno.writeTextFileSync(path, text);
  writeWhole(existing === undefined ? path : Deno.realPathSync(path), text);
}

function writeNew(path: string, text: string): Deno.FileInfo {
  using file = Deno.openSync(path, { write: true, createNew: true });
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
  return file.statSync();
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was not written, or is renamed.
  }
}
