import { errnoOf } from "../../sockets/errno.ts";

/**
 * Writes a report to a temporary file and renames it, so that readers never see half of it.
 *
 * A symbolic link is followed. Anything but a file, such as a pipe, is written to directly: renaming
 * would replace it.
 *
 * @throws {Error} of the file system.
 */
export function writeWhole(path: string, text: string): void {
  const existing = statOf(path);
  if (existing !== undefined && !existing.isFile) return Deno.writeTextFileSync(path, text);
  const target = existing === undefined ? path : Deno.realPathSync(path);
  const temporary = `${target}.${Deno.pid}`;
  try {
    Deno.writeTextFileSync(temporary, text);
    Deno.renameSync(temporary, target);
  } catch (error) {
    remove(temporary);
    throw error;
  }
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
    // It was not written.
  }
}
