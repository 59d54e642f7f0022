// deno-lint-ignore-file no-console -- a build script speaks to who runs it
/**
 * Makes the executable: `task compile [--target T | --all] [--release]`.
 *
 * The program is bundled into one file first, so that the executable carries
 * what it runs and nothing else (not the whole packages it takes functions from).
 */
import { parseArgs as untypedParseArgs } from "@std/cli/parse-args";
import config from "../deno.json" with { type: "json" };
import { fallbackBase, isDownloadFailure } from "./fallback.ts";

const parseArgs = untypedParseArgs as unknown as (
  args: readonly string[],
  options: { readonly string: string[]; readonly boolean: string[] },
) => {
  readonly _: unknown[];
  readonly target?: string;
  readonly all: boolean;
  readonly release: boolean;
};

/** The targets that Deno compiles for. */
const targets = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const root = `${import.meta.dirname}/..`;
const dist = `${root}/dist`;
const bundle = `${dist}/netdemo.js`;

/** What the executable may do: what the task that runs it from source may, no more. */
const permissions = config.tasks.netdemo.command.split(" ")
  .filter((word) => /^--(?:allow-|no-prompt$)/.test(word));

async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: root,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const told = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(told.trim());
  return told;
}

/** Compiles the bundle for one target. */
async function compile(target: string, output: string, release: boolean): Promise<void> {
  // Of the configuration only the unstable sockets are needed: with all of it
  // the executable would carry every package that the lock file names.
  const args = [
    "compile",
    "--no-config",
    "--no-lock",
    "--no-check",
    ...config.unstable.map((name) => `--unstable-${name}`),
    ...permissions,
    "--output",
    output,
  ];
  try {
    await run(Deno.execPath(), [...args, "--target", target, bundle]);
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    if (!isDownloadFailure(told)) throw error;
    if (release) fail("a release needs Deno's own download server, which can't be reached");
    if (target !== Deno.build.target) {
      fail(`compiling for ${target} needs Deno's download server, which can't be reached`);
    }
    using base = await fallbackBase();
    console.error(
      `note: Deno's download server can't be reached; built with Deno ${base.version} from npm, not for release`,
    );
    await run(base.compiler, [...args, bundle], { DENORT_BIN: base.runtime });
  }
}

function fail(why: string): never {
  console.error(`compile: ${why}`);
  Deno.exit(1);
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

const { _: surplus, target, all, release } = parseArgs(Deno.args, {
  string: ["target"],
  boolean: ["all", "release"],
});
if (surplus.length > 0 || (target !== undefined && (all || !targets.includes(target)))) {
  console.error(
    `usage: task compile [--target T | --all] [--release]\ntargets: ${targets.join(", ")}`,
  );
  Deno.exit(2);
}

await Deno.mkdir(dist, { recursive: true });
await run(Deno.execPath(), ["bundle", "--platform", "deno", "--output", bundle, "main.ts"]);
const { size: own } = await Deno.stat(bundle);

const chosen = all ? targets : [target ?? Deno.build.target];
const made: string[] = [];
for (const one of chosen) {
  const suffix = one.includes("windows") ? ".exe" : "";
  const name = (target === undefined && !all ? "netdemo" : `netdemo-${one}`) + suffix;
  await compile(one, `${dist}/${name}`, release);
  const { size } = await Deno.stat(`${dist}/${name}`);
  console.log(`dist/${name}  ${megabytes(size)} MB, of it netdemo itself ${megabytes(own)} MB`);
  made.push(name);
}
await Deno.remove(bundle);
if (all) {
  const sums = await Promise.all(
    made.map(async (name) => `${await sha256(`${dist}/${name}`)}  ${name}\n`),
  );
  await Deno.writeTextFile(`${dist}/SHA256SUMS`, sums.join(""));
  console.log("dist/SHA256SUMS");
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1);
}
