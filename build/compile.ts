// deno-lint-ignore-file no-console -- a build script prints
/** Makes the executables: `task compile [--target T | --all] [--release]`. */
import { parseArgs as untypedParseArgs } from "@std/cli/parse-args";
import { bundle, compile, targets } from "./executable.ts";

const parseArgs = untypedParseArgs as unknown as (
  args: readonly string[],
  options: {
    readonly string: readonly string[];
    readonly boolean: readonly string[];
    readonly unknown: (arg: string) => boolean;
  },
) => { readonly target?: string; readonly all: boolean; readonly release: boolean };

const dist = `${import.meta.dirname}/../dist`;

const unknown: string[] = [];
const { target, all, release } = parseArgs(Deno.args, {
  string: ["target"],
  boolean: ["all", "release"],
  unknown: (arg) => unknown.push(arg) < 0,
});
if (unknown.length > 0 || (target !== undefined && (all || !targets.includes(target)))) {
  console.error("usage: task compile [--target T | --all] [--release]");
  console.error(`targets: ${targets.join(", ")}`);
  Deno.exit(2);
}

await Deno.mkdir(dist, { recursive: true });
const folder = await Deno.makeTempDir({ prefix: "netdemo-" });
try {
  const script = await bundle(folder);
  if (all) await makeAll(script);
  else if (target !== undefined) await make(script, target, fileName(target));
  else await make(script, Deno.build.target, `netdemo${suffix(Deno.build.target)}`);
} catch (error) {
  console.error(`compile: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 1;
} finally {
  await Deno.remove(folder, { recursive: true });
}

function fileName(target: string): string {
  return `netdemo-${target}${suffix(target)}`;
}

function suffix(target: string): string {
  return target.includes("windows") ? ".exe" : "";
}

async function make(script: string, target: string, name: string): Promise<void> {
  const output = `${dist}/${name}`;
  const note = await compile({ script, target, output, release });
  if (note !== undefined) console.error(`note: ${note}`);
  const { size } = await Deno.stat(output);
  console.log(
    `dist/${name}  ${megabytes(size)} MB, of which netdemo itself is ${
      megabytes(sizeOf(folder))
    } MB`,
  );
}

/** Bytes of the files in a folder. */
function sizeOf(folder: string): number {
  return Deno.readDirSync(folder)
    .reduce((sum, { name }) => sum + Deno.statSync(`${folder}/${name}`).size, 0);
}

/** Makes all targets, and next to them their checksums for `sha256sum --check`. */
async function makeAll(script: string): Promise<void> {
  const lines: string[] = [];
  for (const target of targets) {
    const name = fileName(target);
    await make(script, target, name);
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${dist}/${name}`));
    lines.push(`${new Uint8Array(digest).toHex()}  ${name}\n`);
  }
  await Deno.writeTextFile(`${dist}/SHA256SUMS`, lines.join(""));
  console.log("dist/SHA256SUMS");
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1);
}
