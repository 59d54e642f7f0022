import { run } from "./process.ts";

/** Something that is not installed here: the message says what, after "it". */
export class Missing extends Error {
  override readonly name = "Missing";
}

/** A build of Deno for another system, as npm's registry has it. */
export interface ForeignDeno {
  readonly package: string;
  /** Of its archive, in base64. */
  readonly sha512: string;
  /** The program in it. */
  readonly file: string;
}

const VERSION = "2.9.6";

export const windowsDeno: ForeignDeno = {
  package: "@deno/win32-x64",
  sha512:
    "qRGnmVz/Ea6UWPht/S3xFRK17UZ/ls38DSVfgGB17fpASLxPkksqzWUI/BzL9YYoOknYzfc94mySGyInZu/JXw==",
  file: "deno.exe",
};

export const armDeno: ForeignDeno = {
  package: "@deno/linux-arm64-glibc",
  sha512:
    "poqhoH9B3nYloigEMPT5t8HY+wBeiuea1An5Q7fqgJzP0SYmWsoS/oUnWO/pEiA4ofzIBy1Elt/in58xKtxEoQ==",
  file: "deno",
};

/**
 * Puts it into a folder, unless an earlier run has.
 *
 * @returns its path.
 * @throws {Missing} if it can't be downloaded.
 */
export async function downloadDeno(folder: string, deno: ForeignDeno): Promise<string> {
  const path = `${folder}/${deno.file}`;
  if (await exists(path)) return path;
  await Deno.mkdir(folder, { recursive: true });
  const name = `${deno.package}@${VERSION}`;
  const packed = await run(["npm", "pack", "--silent", "--pack-destination", folder, name]);
  if (packed.code !== 0) throw new Missing(`can't download ${name}`);
  const archive = `${folder}/${packed.stdout.trim()}`;
  const digest = await crypto.subtle.digest("SHA-512", await Deno.readFile(archive));
  const hash = new Uint8Array(digest).toBase64();
  if (hash !== deno.sha512) throw new Error(`Cannot trust ${archive} as its hash is ${hash}`);
  const member = `package/${deno.file}`;
  await mustRun("tar", "-xzf", archive, "-C", folder, "--strip-components=1", member);
  await Deno.remove(archive);
  return path;
}

/** @throws {Missing} if one of the tools is not installed. */
export async function assertTools(...tools: readonly string[]): Promise<void> {
  for (const tool of tools) {
    const { code } = await run(["sh", "-c", `command -v ${tool}`]);
    if (code !== 0) throw new Missing(`needs ${tool}`);
  }
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Runs a tool. @throws {Error} if it fails. */
export async function mustRun(...command: readonly string[]): Promise<void> {
  const { code, stderr } = await run(command);
  if (code !== 0) throw new Error(`Cannot run ${command.join(" ")}: ${stderr}`);
}
