import config from "../deno.json" with { type: "json" };
import { fallbackBase, isDownloadFailure } from "./fallback.ts";

/** The targets that Deno compiles for. */
export const targets: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** What the executable may do: what the task that runs netdemo from source may, no more. */
const permissions = config.tasks.netdemo.command.split(" ")
  .filter((word) => /^--(?:allow-|no-prompt$)/.test(word));

/** What to compile, and how. */
export interface CompileOptions {
  /** The JavaScript file that is the program; what it imports lies beside it. */
  readonly script: string;
  /** One of {@linkcode targets}. */
  readonly target: string;
  /** Path of the executable. */
  readonly output: string;
  /** Fails rather than use the fallback. @default {false} */
  readonly release?: boolean;
}

/**
 * Bundles netdemo into a folder, so that an executable carries what it runs and
 * not the whole packages that it takes functions from. What is imported when it
 * is used is a file of its own, which a command that does without never reads.
 *
 * @returns the path of the script that is the program.
 */
export async function bundle(folder: string): Promise<string> {
  const main = `${import.meta.dirname}/../main.ts`;
  const flags = ["--platform", "deno", "--code-splitting", "--minify", "--keep-names"];
  await run(Deno.execPath(), ["bundle", ...flags, "--outdir", folder, main]);
  return `${folder}/main.js`;
}

/**
 * Makes an executable of a script.
 *
 * @returns a note, if it was made in another way than with this Deno's own base.
 * @throws {Error} with what the compiler said.
 */
export async function compile(options: CompileOptions): Promise<string | undefined> {
  const { script, target, output, release = false } = options;
  // Of the configuration only the unstable sockets are needed: with all of it
  // the executable would carry every package that the lock file names.
  const flags = [
    "compile",
    "--no-config",
    "--no-lock",
    "--no-check",
    // The cache would lie in the shared temporary folder under a fixed name, whoever put it there.
    "--no-code-cache",
    ...config.unstable.map((name) => `--unstable-${name}`),
    ...permissions,
    "--output",
    output,
  ];
  try {
    await run(Deno.execPath(), [...flags, "--target", target, script]);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || !isDownloadFailure(error.message)) throw error;
    const why = "Deno's download server can't be reached";
    if (release) throw new Error(`Cannot make a release as ${why}`, { cause: error });
    if (target !== Deno.build.target) {
      throw new Error(`Cannot compile for ${target} as ${why}`, { cause: error });
    }
    using base = await fallbackBase();
    await run(base.compiler, [...flags, script], { DENORT_BIN: base.runtime });
    return `${why}; built with Deno ${base.version} from npm, not for release`;
  }
}

async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
