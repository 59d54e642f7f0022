// deno-lint-ignore-file no-console -- a build script prints
/** Makes the executables: `task compile [--target T | --all] [--release]`. */
import { type FlagValues, parseCommandLine } from "../cli/arguments/flags.ts";
import { bundle, compile, targets } from "./executable.ts";

const dist = `${import.meta.dirname}/../dist`;

const flags = {
  target: { value: "T", about: "compile for this target", read: readTarget },
  all: { about: "compile for all targets" },
  release: { about: "fail rather than use the fallback" },
};

const { target, all, release } = readFlags();

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

/** Exits with the usage if it is asked for, or the command line is wrong. */
function readFlags(): FlagValues<typeof flags> {
  try {
    const { flags: values, words } = parseCommandLine(Deno.args, flags);
    if (words.length === 0 && !(values.all && values.target !== undefined)) return values;
  } catch {
    // Reported below.
  }
  console.error("usage: deno task compile [--target T | --all] [--release]");
  console.error(`targets: ${targets.join(", ")}`);
  Deno.exit(Deno.args.includes("--help") ? 0 : 2);
}

function readTarget(text: string): string {
  if (targets.includes(text)) return text;
  throw new RangeError(`Cannot compile for an unknown target: received ${text}`);
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
