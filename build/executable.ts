import config from "../deno.json" with { type: "json" };
import { cannot } from "../cli/runtime.ts";
import { fallbackBase, isDownloadFailure } from "./fallback.ts";
import { run } from "./run.ts";

/** The targets that Deno compiles for. */
export const targets: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** The executable's permissions: those of the task that runs netdemo from source. */
const permissions = config.tasks.netdemo.command.split(" ")
  .filter((word) => /^--(?:allow-|no-prompt$)/.test(word));

/** What to compile, and how. */
export interface CompileOptions {
  /** The program's main JavaScript file; what it imports is next to it. */
  readonly script: string;
  /** One of {@linkcode targets}. */
  readonly target: string;
  /** Path of the executable. */
  readonly output: string;
  /** Fails rather than use the fallback. @default {false} */
  readonly release?: boolean;
}

/**
 * Bundles netdemo into a folder, so that an executable carries only the code it
 * runs, not whole packages. Each dynamic import becomes a file of its own, which
 * commands that don't need it never read.
 *
 * It is not minified: `--minify` moves what `using` declares into the statement after it, if only
 * that one uses it, and nothing closes it then.
 *
 * @returns the path of the main script.
 */
export async function bundle(folder: string): Promise<string> {
  const main = `${import.meta.dirname}/../main.ts`;
  const flags = ["--platform", "deno", "--code-splitting", "--keep-names"];
  await run(Deno.execPath(), ["bundle", ...flags, "--outdir", folder, main]);
  return `${folder}/main.js`;
}

/**
 * Makes an executable of a script.
 *
 * @returns a note, if it was not made with this Deno's own base.
 * @throws {Error} with the compiler's message.
 */
export async function compile(options: CompileOptions): Promise<string | undefined> {
  const { script, target, output, release = false } = options;
  // Of the configuration, only the unstable socket APIs are needed: with all of it,
  // the executable would carry every package in the lock file.
  const flags = [
    "compile",
    "--no-config",
    "--no-lock",
    "--no-check",
    // The cache would have a fixed name in the shared temporary folder, where anyone could plant it.
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
    const lacks = (["reset", "tls", "zone"] as const).map((what) => cannot(what, "it")).join(", ");
    return `${why}; built with Deno ${base.version} from npm, not for release: ${lacks}`;
  }
}
