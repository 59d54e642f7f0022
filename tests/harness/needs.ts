import { canReset } from "../../sockets/runtime.ts";
import { once } from "../../text/once.ts";
import { executable } from "./process.ts";

/** Something that a test needs and not every machine has. */
export interface Need {
  /** The reason in the name of a skipped test, such as "no strace". */
  readonly missing: string;
  /** Whether this machine has it. */
  isMet(): boolean;
}

/**
 * A test that needs more than Deno. If something is missing the test is reported
 * as skipped, and its name says why.
 */
export function testWith(
  needs: readonly Need[],
  name: string,
  fn: (context: Deno.TestContext) => void | Promise<void>,
): void {
  const unmet = needs.find((need) => !need.isMet());
  Deno.test({
    name: unmet === undefined ? name : `${name} (skipped: ${unmet.missing})`,
    ignore: unmet !== undefined,
    fn,
  });
}

const isWindows = Deno.build.os === "windows";

/** Signals, a shell and Unix sockets. */
export const unix: Need = { missing: "needs a Unix", isMet: () => !isWindows };

/** Any system but a Windows that is Wine's (`task windows`). @param missing What Wine lacks. */
export function notUnderWine(missing: string): Need {
  return { missing: `under Wine: ${missing}`, isMet: () => !Deno.env.has("NETDEMO_WINE") };
}

/** Times that mean something: Wine takes several times as long for what is short. */
export const timing = notUnderWine("its times mean nothing");

/** As many connections as a test likes: Wine's server holds up all above about 300. */
export const manyConnections = notUnderWine("at most 300 connections at once");

/** A name server, which says that a name does not exist. */
export const nameServer = notUnderWine("no name server in its network namespace");

/** Linux and its /proc. */
export const linux: Need = { missing: "needs Linux", isMet: () => Deno.build.os === "linux" };

/** The Deno that runs the tests: an executable may contain an older one. */
export const fromSource: Need = {
  missing: "not for an executable, which may contain an older Deno",
  isMet: () => executable === undefined,
};

/** A runtime that can reset a connection: Deno 2.5, which an executable may contain, can't. */
export const resets: Need = {
  missing: "the runtime can't reset",
  isMet: once(() =>
    executable === undefined
      ? canReset
      : !/Deno 2\.5\./.test(outputOf(executable, "--version") ?? "")
  ),
};

export const root: Need = { missing: "needs root", isMet: () => !isWindows && Deno.uid() === 0 };

export const ipv6: Need = {
  missing: "no IPv6 on this host",
  isMet: once(() => {
    try {
      Deno.listen({ hostname: "::1", port: 0 }).close();
      return true;
    } catch {
      return false;
    }
  }),
};

/** A command that must end with exit code 0. */
export function working(missing: string, ...command: readonly [string, ...string[]]): Need {
  return { missing, isMet: once(() => succeeds(...command)) };
}

/** A program in PATH. */
export function tool(name: string): Need {
  const { missing, isMet } = working(`no ${name}`, "sh", "-c", `command -v ${name}`);
  return { missing, isMet: () => !isWindows && isMet() }; // Wine would find those of its host
}

/** strace, with permission to trace other processes. */
export const strace = working("no strace", "strace", "-f", "-o", "/dev/null", "true");

/** Permission to create network namespaces. */
export const namespaces = working("no network namespaces here", "unshare", "-rn", "true");

/**
 * The Python 3 that runs scripts and the lesson's original programs; empty if none is installed. It
 * is named by its own path: the one in PATH may be a wrapper, which takes twice as long to start.
 */
export const python: () => string = once(() => {
  const args = ["-c", "import sys; assert sys.version_info[0] == 3; print(sys.executable)"];
  return (outputOf("python3", ...args) ?? outputOf("python", ...args) ?? "").trim();
});

/** Python 3 on a Unix, whose sockets the tests' scripts expect. */
export const python3: Need = {
  missing: "no python3 on a Unix",
  isMet: () => python() !== "" && !isWindows,
};

/** A test that needs Python on a Unix. */
export function pythonTest(name: string, run: (python: string) => Promise<void>): void {
  testWith([python3], name, () => run(python()));
}

/** A test that needs signals and a shell. */
export function signalTest(name: string, fn: () => Promise<void>): void {
  testWith([unix], name, fn);
}

/** The given number of open files at once. */
export function openFiles(count: number): Need {
  return {
    missing: `fewer than ${count} open files allowed`,
    isMet: once(() => !isWindows && succeeds("sh", "-c", `ulimit -n ${count}`)),
  };
}

/** Whether a program is installed and ends with exit code 0. */
function succeeds(program: string, ...args: string[]): boolean {
  return outputOf(program, ...args) !== undefined;
}

/** What a program prints; `undefined` if it is not installed or fails. */
function outputOf(program: string, ...args: string[]): string | undefined {
  try {
    const { success, stdout } = new Deno.Command(program, { args, stderr: "null" }).outputSync();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}
