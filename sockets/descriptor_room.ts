import { errnoOf } from "./errno.ts";

/**
 * How many more descriptors this process may open, up to so many: they are opened, and closed again.
 * Linux names the limit only to programs that may read /proc.
 *
 * @returns `wanted` where it can't be found out.
 */
export function descriptorRoom(wanted: number): number {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < wanted) files.push(Deno.openSync("."));
    return wanted;
  } catch (error) {
    return ["EMFILE", "ENFILE"].includes(errnoOf(error) ?? "") ? files.length : wanted;
  } finally {
    for (const file of files) file.close();
  }
}
