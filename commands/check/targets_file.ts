import { Failure } from "../../cli/errors/failure.ts";

/** A line of a targets file. */
export interface TargetLine {
  readonly text: string;
  /** `targets.txt:3`, for messages. */
  readonly where: string;
}

/**
 * Reads the targets of a file, one per line; `#` starts a comment.
 *
 * @param path `-` is stdin.
 * @throws {Failure} of kind `USAGE` if it can't be read.
 */
export async function readTargets(path: string): Promise<readonly TargetLine[]> {
  const name = path === "-" ? "stdin" : path;
  return (await textOf(path)).split(/\r?\n/).flatMap((line, index) => {
    const text = line.replace(/(?:^|\s)#.*$/, "").trim();
    return text === "" ? [] : [{ text, where: `${name}:${index + 1}` }];
  });
}

async function textOf(path: string): Promise<string> {
  try {
    return path === "-"
      ? await new Response(Deno.stdin.readable).text()
      : await Deno.readTextFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("USAGE", `cannot read the targets: ${why}`, {
      cause,
      hint: "--targets takes a file with one target per line, or - for stdin",
    });
  }
}
