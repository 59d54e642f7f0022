/**
 * What the tools of Windows report about a program, where `system.ts` asks those of Unix. Their
 * words are in the user's language: only numbers and places in a line tell.
 */
import { endpoint, type Listening, output, rowsOf, runTool, type Usage } from "./tools.ts";

/** Prints for each process its number, its parent's, CPU time in 100 ns, and bytes of memory. */
const PROCESSES = "Get-CimInstance Win32_Process | ForEach-Object { " +
  '"$($_.ProcessId) $($_.ParentProcessId) $($_.KernelModeTime + $_.UserModeTime) ' +
  '$($_.WorkingSetSize)" }';
const TICKS_PER_MS = 10_000;

/** Returns what a process and its descendants use. It takes about a second. */
export async function usageOnWindows(pid: number): Promise<Usage | undefined> {
  const text = await output("powershell", "-NoProfile", "-NonInteractive", "-Command", PROCESSES);
  return text === undefined ? undefined : usageInTable(text, pid);
}

/** Sums up a process and its descendants; `undefined` if the table does not have it. */
export function usageInTable(text: string, pid: number): Usage | undefined {
  const rows = rowsOf(text).map((fields) => fields.map(Number));
  if (!rows.some(([id]) => id === pid)) return undefined;
  const pids = new Set([pid]);
  let known = 0;
  while (known < pids.size) {
    known = pids.size;
    for (const [id = 0, parent = 0] of rows) if (pids.has(parent)) pids.add(id);
  }
  const own = rows.filter(([id = 0]) => pids.has(id));
  return {
    pids: [...pids],
    cpuMs: own.reduce((sum, [, , ticks = 0]) => sum + ticks / TICKS_PER_MS, 0),
    memory: own.reduce((sum, [, , , bytes = 0]) => sum + bytes, 0),
  };
}

/** A line of `netstat -ano`. */
interface Socket {
  readonly protocol: string;
  readonly local: Listening;
  /** Whether it waits for connections, or for datagrams. */
  readonly isListening: boolean;
  /** 0 for a connection that is left after its end (TIME-WAIT). */
  readonly pid: number;
}

async function sockets(): Promise<readonly Socket[] | undefined> {
  return socketsIn(await output("netstat", "-ano") ?? "");
}

/** Reads what `netstat -ano` prints; `undefined` if that does not say whose the sockets are. */
export function socketsIn(text: string): readonly Socket[] | undefined {
  const rows = rowsOf(text).flatMap((fields): Socket[] => {
    const [protocol = "", local = "", remote = ""] = fields;
    const pid = fields.at(-1) ?? "";
    if (!/^(?:TCP|UDP)/.test(protocol) || !/^\d+$/.test(pid)) return [];
    const isListening = /^(?:\*:\*|0\.0\.0\.0:0|\[::\]:0)$/.test(remote);
    const name = protocol.toLowerCase();
    return [{ protocol: name, local: endpoint(local), isListening, pid: Number(pid) }];
  });
  return rows.length === 0 ? undefined : rows;
}

/** Returns what the processes listen on, or are bound to over UDP. */
export async function listeningOnWindows(
  pids: readonly number[],
  protocol: "tcp" | "udp",
): Promise<readonly Listening[] | undefined> {
  const own = (await sockets())?.filter((socket) =>
    socket.protocol === protocol && socket.isListening && pids.includes(socket.pid)
  );
  return own?.map(({ local }) => local);
}

/** Returns the states of the sockets with this local port, as netstat calls them on Unix. */
export async function statesOnWindows(port: number): Promise<string[] | undefined> {
  const own = (await sockets())?.filter((one) => one.protocol === "tcp" && one.local.port === port);
  return own?.map(({ isListening, pid }) =>
    isListening ? "LISTEN" : pid === 0 ? "TIME_WAIT" : "ESTABLISHED"
  );
}

/** Ends a process and its descendants, as `run.bat` and `cmd /c` have them. */
export async function endTree(pid: number): Promise<void> {
  const ran = await runTool("taskkill", ["/T", "/F", "/PID", String(pid)]);
  if (ran?.success) return;
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** What exit codes mean that Windows gives a program which it ends (NTSTATUS). */
const meanings: Readonly<Record<number, string>> = {
  0xc0000005: " (a pointer or an index went wrong)",
  0xc0000094: " (a division by zero)",
  0xc00000fd: " (the stack is full: a function may call itself without end)",
  0xc0000135: " (a DLL is missing)",
  0xc0000374: " (memory was overwritten)",
  0xc0000409: " (memory was overwritten, or an assertion failed)",
};

/** An exit code as Windows has it, unsigned and, if it is one of its own, in hexadecimal. */
export function exitCodeWords(code: number): string {
  const unsigned = code >>> 0;
  if (unsigned < 0x80000000) return String(code);
  return `0x${unsigned.toString(16).toUpperCase()}${meanings[unsigned] ?? ""}`;
}
