/**
 * What the system's own tools report about a program. They stand in for
 * reading `/proc`, which Deno allows only with all permissions. `undefined`
 * always means that no tool here has the answer.
 */
import { delay } from "@std/async/delay";
import type { Stream } from "../../../sockets/stream.ts";
import { os } from "../../../sockets/system.ts";
import {
  endpoint,
  type Listening,
  output,
  rowsOf,
  runTool,
  TOOLS_CWD,
  type Usage,
} from "./tools.ts";
import { listeningOnWindows, statesOnWindows, usageOnWindows } from "./windows.ts";

/** Runs a script of the shell with arguments; returns what it printed, or `undefined` if it failed. */
export async function runScript(script: string, ...args: string[]): Promise<string | undefined> {
  const ran = await runTool("sh", ["-c", script, "sh", ...args], TOOLS_CWD);
  return ran?.success ? ran.text : undefined;
}

/** Whether a program can be started from a working folder. @param folder @default netdemo's own */
export async function isExecutable(program: string, folder?: string): Promise<boolean> {
  const script = 'found=$(command -v "$1") && case $found in */*) [ -x "$found" ];; esac';
  return (await runTool("sh", ["-c", script, "sh", program], { cwd: folder }))?.success === true;
}

const isLinux = os === "linux";

/** Returns what a child and its descendants use; `pid` leads their session and process group. */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  if (os === "windows") return await usageOnWindows(pid);
  return isLinux ? await usageOnLinux(pid) : await usageByPs(pid);
}

/** Clock ticks are 10 ms on every Linux that Deno runs on. */
const TICK_MS = 10;
/** Pages are larger than 4 KiB on some machines with ARM processors. */
const PROCESSES = "getconf PAGESIZE 2>/dev/null || echo 4096; cat /proc/[0-9]*/stat 2>/dev/null";

async function usageOnLinux(session: number): Promise<Usage | undefined> {
  const text = await output("sh", "-c", PROCESSES);
  return text === undefined ? undefined : usageIn(text, session);
}

/** Sums up the processes of a session. @param text The size of a page, then lines of proc(5). */
export function usageIn(text: string, session: number): Usage {
  const pids: number[] = [];
  let ticks = 0;
  let pages = 0;
  for (const line of text.split("\n").slice(1)) {
    // proc(5): the name is in parentheses and may contain anything.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    if (Number(fields[3]) !== session) continue;
    pids.push(Number.parseInt(line));
    for (const field of [11, 12, 13, 14]) ticks += Number(fields[field]);
    pages += Number(fields[21]);
  }
  return { pids, cpuMs: ticks * TICK_MS, memory: pages * Number.parseInt(text) };
}

async function usageByPs(group: number): Promise<Usage | undefined> {
  const text = await output("ps", "-A", "-o", "pid=,pgid=,time=,rss=");
  if (text === undefined) return undefined;
  const own = rowsOf(text).filter(([, pgid]) => Number(pgid) === group);
  const seconds = (time = ""): number =>
    time.split(/[-:]/).reduce((sum, part) => sum * 60 + Number(part), 0);
  return {
    pids: own.map(([pid]) => Number(pid)),
    cpuMs: own.reduce((sum, [, , time]) => sum + seconds(time) * 1_000, 0),
    memory: own.reduce((sum, [, , , kilobytes]) => sum + Number(kilobytes) * 1_024, 0),
  };
}

/** Whether more threads are ready to run than this machine has processors: Linux only. */
export async function isMachineBusy(): Promise<boolean> {
  if (!isLinux) return false;
  for (let look = 0; look < 3; look++) {
    // proc(5): runnable threads, a slash, all threads; cat itself is one of the runnable ones.
    const [, running] = /(\d+)\/\d+/.exec(await output("cat", "/proc/loadavg") ?? "") ?? [];
    if (Number(running) - 1 > navigator.hardwareConcurrency) return true;
  }
  return false;
}

/** Returns what the processes listen on, or are bound to over UDP. */
export async function listeningOf(
  pids: readonly number[],
  protocol: "tcp" | "udp",
): Promise<readonly Listening[] | undefined> {
  if (pids.length === 0) return [];
  if (os === "windows") return await listeningOnWindows(pids, protocol);
  const letter = protocol === "tcp" ? "t" : "u";
  const ss = await output("ss", `-Hln${letter}p`);
  if (ss !== undefined) {
    const own = ss.split("\n").filter((line) => pids.some((pid) => line.includes(`pid=${pid},`)));
    return own.flatMap(rowsOf).map((fields) => endpoint(fields[3] ?? ""));
  }
  const state = protocol === "tcp" ? ["-sTCP:LISTEN"] : [];
  const chosen = ["-a", `-i${protocol}`, ...state, "-p", pids.join()];
  const lsof = await output("lsof", "-nP", ...chosen, "-Fn");
  if (lsof !== undefined) {
    return lsof.split("\n").filter((line) => line.startsWith("n")).map((line) =>
      endpoint(line.slice(1))
    );
  }
  const netstat = await output("netstat", `-ln${letter}p`);
  return netstat === undefined ? undefined : rowsOf(netstat)
    .filter((fields) => pids.some((pid) => fields.at(-1)?.startsWith(`${pid}/`)))
    .map((fields) => endpoint(fields[3] ?? ""));
}

/** Number of connections of a server on this port, in any state but TIME-WAIT. */
export async function connectionsAt(port: number): Promise<number | undefined> {
  return (await statesAt(port))?.filter((state) => !/LISTEN|TIME.WAIT/.test(state)).length;
}

/** Whether closed connections, and nothing else, block the port for programs without SO_REUSEADDR. */
export async function isInTimeWait(port: number): Promise<boolean> {
  const states = await statesAt(port) ?? [];
  return states.some((state) => /TIME.WAIT/.test(state)) && !states.some((it) => /LISTEN/.test(it));
}

async function statesAt(port: number): Promise<string[] | undefined> {
  if (os === "windows") return await statesOnWindows(port);
  const ss = await output("ss", "-Htan", `sport = :${port}`);
  if (ss !== undefined) return rowsOf(ss).map(([state = ""]) => state);
  const netstat = await output("netstat", "-an");
  return netstat === undefined ? undefined : rowsOf(netstat)
    .filter((fields) => /^tcp/.test(fields[0] ?? "") && endpoint(fields[3] ?? "").port === port)
    .map((fields) => fields[5] ?? "");
}

/** Whether a process has the socket at one end of a connection: not if it has closed it. */
export async function isHeldByProcess(port: number, remotePort: number): Promise<boolean> {
  const text = await output("ss", "-Htanp", `sport = :${port} and dport = :${remotePort}`);
  return text === undefined || text.includes("users:");
}

/** Number of bytes received at one end of a connection that its program has not read yet. */
async function unreadAt(port: number, remotePort: number): Promise<number | undefined> {
  const text = await output("ss", "-Htn", `sport = :${port} and dport = :${remotePort}`);
  const [, unread] = text?.trim().split(/\s+/) ?? [];
  return unread === undefined ? undefined : Number(unread);
}

/** Milliseconds within which a program reads what has arrived, if it reads at all. */
const READ_MS = 2_000;
/** Milliseconds after which a program has likely read what has arrived. */
const PAUSE_MS = 80;
/** Milliseconds between two looks at what it has read. */
const LOOK_MS = 2;

/** Waits until the program at the other end of a connection has read all that was sent to it. */
export async function untilRead(
  { local, remote }: Pick<Stream, "local" | "remote">,
): Promise<void> {
  if (!("port" in local) || !("port" in remote)) return;
  const until = performance.now() + READ_MS;
  while (performance.now() < until) {
    const unread = await unreadAt(remote.port, local.port);
    if (unread === 0) return;
    // Without a tool that shows this, or for a program on another host, a pause must do.
    await delay(unread === undefined ? PAUSE_MS : LOOK_MS);
    if (unread === undefined) return;
  }
}

/** Ports from 20000 to 29999 on which something listens or a connection is left. */
export async function busyPorts(): Promise<ReadonlySet<number>> {
  const text = await output("ss", "-Htan", "sport >= :20000 and sport <= :29999") ?? "";
  return new Set(rowsOf(text).map((fields) => endpoint(fields[3] ?? "").port));
}

/** Number of descriptors that the processes have open: not on Windows. */
export async function descriptorsOf(pids: readonly number[]): Promise<number | undefined> {
  if (os === "windows" || pids.length === 0) return undefined;
  if (!isLinux) {
    const text = await output("lsof", "-nP", "-a", "-d", "0-65535", "-p", pids.join(), "-Ff");
    return text?.match(/^f\d/gm)?.length;
  }
  const text = await output("ls", ...pids.map((pid) => `/proc/${pid}/fd`));
  return text?.split("\n").filter((line) => /^\d+$/.test(line)).length;
}

/** The process groups in lines of proc(5), stat, of processes that have not ended. */
export function processGroupsIn(text: string): number[] {
  return [...text.matchAll(/\) [^ZX] \d+ (\d+) \d+ /g)].map(([, group]) => Number(group));
}

/** The process groups of processes: Linux only. */
export async function processGroupsOf(pids: readonly number[]): Promise<readonly number[]> {
  return processGroupsIn(await output("cat", ...pids.map((pid) => `/proc/${pid}/stat`)) ?? "");
}

/** Processes with this text in their environment: Linux only. */
export async function processesMarked(mark: string): Promise<readonly number[]> {
  if (!isLinux) return [];
  // sh and grep don't find themselves: they get the mark as an argument, not as a variable.
  const script = 'exec grep -Fls -- "$1" /proc/[0-9]*/environ';
  const text = await output("sh", "-c", script, "sh", mark) ?? "";
  return [...text.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => Number(pid));
}
