/**
 * A PID namespace (pid_namespaces(7)): with its first process, the kernel ends all others in it.
 * That first process ends with netdemo, however netdemo ends: it reads a pipe that netdemo holds.
 */
import { type Enclosure, offences } from "./enclosure.ts";
import { processGroupsIn, runScript } from "./system.ts";
import { runTool } from "./tools.ts";

/** Who may not make one by itself may do so in a user namespace (user_namespaces(7)). */
const RIGHTS = [[], ["--user", "--map-current-user"]];

/** Prints what is in the namespace of a process's children (proc(5), stat). */
const INSIDE = `
namespace=$(stat -L -c %i "/proc/$1/ns/pid_for_children")
stat -L -c "%i %n" /proc/[0-9]*/ns/pid | while read -r inode path; do
  [ "$inode" != "$namespace" ] || cat "\${path%/ns/pid}/stat"
done 2>/dev/null
`;

/** A namespace that exists until its pipe is closed. */
interface Held {
  /** The command that starts another one inside. */
  readonly enter: readonly string[];
  /** The process groups in it, but for that of its first process. */
  groups(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Makes a PID namespace for each start; `undefined` where netdemo may not, or has no tools. */
export async function openPidNamespace(): Promise<Enclosure | undefined> {
  for (const rights of RIGHTS) {
    let held = await hold(rights);
    if (held === undefined) continue;
    return {
      wrap: (command) => [...held?.enter ?? [], ...command],
      async end(own) {
        const groups = await held?.groups() ?? [];
        await held?.close();
        held = await hold(rights);
        return groups.some((group) => !own.has(group)) ? [offences.left] : [];
      },
      remove: async () => await held?.close(),
    };
  }
  return undefined;
}

async function hold(rights: readonly string[]): Promise<Held | undefined> {
  const args = [...rights, "--pid", "--fork", "--kill-child", "cat"];
  let holder: Deno.ChildProcess;
  try {
    // Detached, so that Ctrl-C leaves it to netdemo.
    const pipes = { stdin: "piped", stdout: "piped", stderr: "null", detached: true } as const;
    holder = new Deno.Command("unshare", { args, ...pipes }).spawn();
  } catch {
    return undefined; // no such tool
  }
  const pipe = holder.stdin.getWriter();
  const echo = holder.stdout.getReader();
  const close = async (): Promise<void> => {
    await pipe.close().catch(() => {});
    await echo.cancel();
    await holder.status;
  };
  const groups = async (): Promise<readonly number[]> =>
    processGroupsIn(await runScript(INSIDE, String(holder.pid)) ?? "")
      .filter((group) => group !== holder.pid);
  const namespace = `/proc/${holder.pid}/ns`;
  const user = rights.length > 0 ? [`--user=${namespace}/user`, "--preserve-credentials"] : [];
  // unshare forks: unlike nsenter, it outlives the Ctrl-C that its program may survive.
  const enter = ["nsenter", ...user, `--pid=${namespace}/pid_for_children`, "--no-fork"];
  enter.push("unshare", "--fork", "--");
  // What comes back shows that the namespace has its first process.
  await pipe.write(Uint8Array.of(0)).catch(() => {});
  const { done } = await echo.read();
  const [command, ...rest] = [...enter, "true"];
  if (!done && (await runTool(command as string, rest))?.success) {
    return { enter, groups, close };
  }
  await close();
  return undefined;
}
