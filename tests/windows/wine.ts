/**
 * A folder in which Deno's own Windows build runs on Linux, under Wine.
 *
 * Wine 8 lacks three things that Deno needs; each is put right in a copy within the folder, and
 * nothing outside it is changed.
 */
import {
  assertTools,
  downloadDeno,
  exists,
  Missing,
  mustRun,
  windowsDeno,
} from "../harness/foreign_deno.ts";
import { forwardingDll } from "./forwarding_dll.ts";

/** Where Debian's wine64 package installs its programs and libraries. */
const PROGRAMS = "/usr/lib/wine";
const LIBRARIES = "/usr/lib/x86_64-linux-gnu/wine";

/** Windows libraries for a console program: those for graphics and sound are 600 MB more. */
const DLLS = `advapi32 apisetschema bcrypt cabinet combase comctl32 crypt32 cryptbase dbghelp dnsapi
  gdi32 imm32 iphlpapi kernel32 msvcrt mswsock netapi32 ncrypt normaliz nsi ntdll ole32 oleaut32
  powrprof profapi psapi rpcrt4 rsaenh sechost secur32 setupapi shcore shell32 shlwapi ucrtbase
  user32 userenv uxtheme vcruntime140 version wevtsvc win32u wintrust winmm wldap32 ws2_32 wsock32
  zlib1`.split(/\s+/);

/** How to run a Windows program. */
export interface WineOptions {
  /** File that gets its stdout and stderr. */
  readonly output: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Deno for Windows, ready to run. Its programs end with its scope. */
export interface Wine extends AsyncDisposable {
  /** The folder, as Windows programs name it: `Z:\tmp\wine`. */
  readonly path: string;
  /** A Windows program and its arguments. */
  command(command: readonly string[], options: WineOptions): Deno.Command;
  /** `deno.exe`, as a Linux path. */
  readonly deno: string;
}

/** How Windows programs under Wine name a Linux path. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

/**
 * Makes the folder, or completes one that an earlier run has made.
 *
 * @throws {Missing} if something is not installed or can't be downloaded.
 */
export async function prepareWine(folder: string): Promise<Wine> {
  await assertInstalled();
  const deno = await downloadDeno(folder, windowsDeno);
  await copyWine(folder);
  await Deno.writeFile(
    `${folder}/bcryptprimitives.dll`, // Windows looks for libraries next to the program first
    forwardingDll("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036"),
  );
  await compileResets(folder);
  const wine = wineIn(folder, deno);
  if (!await exists(`${folder}/prefix/system.reg`)) {
    await wine.command(["wineboot", "--init"], { output: `${folder}/wineboot.txt` }).spawn().status;
  }
  return wine;
}

async function assertInstalled(): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new Missing("needs Linux on x86-64");
  }
  for (const path of [`${PROGRAMS}/wine64`, `${LIBRARIES}/x86_64-windows/kernelbase.dll`]) {
    if (!await exists(path)) throw new Missing("needs the package wine64");
  }
  await assertTools("gcc", "npm", "tar");
}

/** Lays out Wine within the folder: it looks for its libraries next to its own file. */
async function copyWine(folder: string): Promise<void> {
  const windows = `${folder}/lib/x86_64-linux-gnu/wine/x86_64-windows`;
  await Deno.mkdir(windows, { recursive: true });
  await Deno.mkdir(`${folder}/lib/wine`, { recursive: true });
  await mustRun(
    "cp",
    "--remove-destination",
    `${PROGRAMS}/wine64`,
    `${PROGRAMS}/wineserver64`,
    `${folder}/lib/wine/`,
  );
  await mustRun(
    "cp",
    "-r",
    "--remove-destination",
    `${LIBRARIES}/x86_64-unix`,
    `${folder}/lib/x86_64-linux-gnu/wine/`,
  );
  for await (const { name } of Deno.readDir(`${LIBRARIES}/x86_64-windows`)) {
    const [stem = "", ending = ""] = name.split(/\.(?=[^.]+$)/);
    if (
      ending === "exe" || ending === "sys" || /^(?:api|ext)-ms-win-/.test(stem) ||
      DLLS.includes(stem)
    ) {
      await link(`${LIBRARIES}/x86_64-windows/${name}`, `${windows}/${name}`);
    }
  }
  await link("/usr/share/wine", `${folder}/share/wine`);
  await writeKernelBase(`${windows}/kernelbase.dll`);
}

/**
 * Renames VirtualAlloc2 in a copy of kernelbase.dll: V8 reserves memory with placeholders where it
 * exists, and Wine 8 has the function but no placeholders.
 */
async function writeKernelBase(path: string): Promise<void> {
  const bytes = await Deno.readFile(`${LIBRARIES}/x86_64-windows/kernelbase.dll`);
  const name = new TextEncoder().encode("VirtualAlloc2\0");
  for (let at = bytes.indexOf(name[0] ?? 0); at >= 0; at = bytes.indexOf(name[0] ?? 0, at + 1)) {
    if (name.every((byte, index) => bytes[at + index] === byte)) bytes[at + 12] = 0x31; // "1"
  }
  await Deno.writeFile(path, bytes);
}

/** Compiles what keeps a reset a reset, and has wineserver load it. */
async function compileResets(folder: string): Promise<void> {
  const library = `${folder}/keep_resets.so`;
  const source = `${import.meta.dirname}/keep_resets.c`;
  await mustRun("gcc", "-O", "-shared", "-fPIC", "-o", library, source, "-ldl");
  const server = `${folder}/lib/wine/wineserver`;
  await Deno.writeTextFile(server, `#!/bin/sh\nLD_PRELOAD='${library}' exec '${server}64' "$@"\n`);
  await Deno.chmod(server, 0o755);
}

function wineIn(folder: string, deno: string): Wine {
  const loader = `${folder}/lib/wine/wine64`;
  const env = {
    WINEPREFIX: `${folder}/prefix`,
    WINELOADER: loader,
    WINEARCH: "win64",
    WINEDEBUG: "-all",
    WINEDLLOVERRIDES: "mscoree=d;mshtml=d;winemenubuilder.exe=d",
    DENO_DISABLE_NODE_SHIM: "1",
    DISPLAY: "",
  };
  return {
    deno,
    path: windowsPath(folder),
    command: (command, { output, cwd, env: more }) =>
      new Deno.Command("sh", {
        args: [
          "-c",
          'output=$1; shift; exec "$@" > "$output" 2>&1',
          "sh",
          output,
          loader,
          ...command,
        ],
        env: { ...env, ...more },
        ...(cwd !== undefined && { cwd }),
        stdin: "null",
      }),
    async [Symbol.asyncDispose]() {
      await new Deno.Command(`${folder}/lib/wine/wineserver64`, { args: ["-k"], env }).output();
    },
  };
}

async function link(target: string, path: string): Promise<void> {
  await Deno.mkdir(path.replace(/\/[^/]+$/, ""), { recursive: true });
  if (await exists(target) && !await exists(path)) await Deno.symlink(target, path);
}
