/**
 * What keeps the program under test from outliving its examination, and from netdemo's own files.
 *
 * On Linux, where netdemo may make control groups (cgroups(7), both versions), it gets one of its
 * own: whatever it forks into is in it, the kernel limits its memory, and all of it ends at once.
 * Elsewhere its process group and its environment's mark have to do.
 */
import { misuse } from "../../../cli/errors/failure.ts";
import { MAX_MEMORY, offences } from "./child.ts";
import { processGroupsIn, runScript } from "./system.ts";

/** Processes and threads that a program may run at once. */
const MAX_PROCESSES = 1_000;

/** How a program is contained. */
export type Containment = "control group" | "process group";

/** Starts a command within a containment. */
export interface Container {
  readonly kind: Containment;
  /** The command that starts another one inside. */
  wrap(command: readonly string[], env: Readonly<Record<string, string>>): readonly string[];
  /**
   * Ends everything inside.
   *
   * @param own The process groups that were ended already.
   * @returns what the program did that it must not do.
   */
  end(own: ReadonlySet<number>): Promise<readonly string[]>;
  /** Ends everything inside, and removes the container. */
  remove(): Promise<void>;
}

/**
 * Makes a group in version 2, or one for memory and one for processes in version 1; prints the
 * folders. Each step that fails takes the group away again.
 */
const MAKE = `
name=$1 bytes=$2
root=/sys/fs/cgroup
if [ -e "$root/cgroup.procs" ] && mkdir "$root/$name" 2>/dev/null; then
  [ -e "$root/$name/cgroup.kill" ] || { rmdir "$root/$name"; exit 1; }
  { echo "$bytes" > "$root/$name/memory.max"; } 2>/dev/null
  { echo ${MAX_PROCESSES} > "$root/$name/pids.max"; } 2>/dev/null
  echo "$root/$name"
  exit 0
fi
cd /sys/fs/cgroup && mkdir "pids/$name" 2>/dev/null || exit 1
if mkdir "memory/$name" 2>/dev/null; then
  { echo "$bytes" > "memory/$name/memory.limit_in_bytes"; } 2>/dev/null
  echo "/sys/fs/cgroup/memory/$name"
fi
{ echo ${MAX_PROCESSES} > "pids/$name/pids.max"; } 2>/dev/null
echo "/sys/fs/cgroup/pids/$name"
`;

/** Enters the groups, if they are still there, and becomes the command. */
const ENTER = `
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; done
shift
exec "$@"
`;

/**
 * Ends all processes of the groups; in version 1, after forbidding new ones. Prints what they were
 * (proc(5), stat), and how often the groups' limits were met, before and after.
 */
const END = `
events() {
  for group; do
    for file in pids.events memory.events memory.oom_control; do
      [ -e "$group/$file" ] || continue
      while read -r line; do echo "$file $line"; done < "$group/$file"
    done
  done
}
events "$@"
for group; do
  while read -r pid; do read -r stat < "/proc/$pid/stat" && echo "$stat"; done < "$group/cgroup.procs"
  if [ -e "$group/cgroup.kill" ]; then echo 1 > "$group/cgroup.kill"; continue; fi
  [ -e "$group/pids.max" ] && echo 0 > "$group/pids.max"
  tries=0
  while [ -s "$group/cgroup.procs" ] || [ -n "$(cat "$group/cgroup.procs")" ]; do
    for pid in $(cat "$group/cgroup.procs"); do kill -9 "$pid"; done
    tries=$((tries + 1)); [ $tries -gt 200 ] && break
    sleep 0.01
  done
  [ -e "$group/pids.max" ] && echo ${MAX_PROCESSES} > "$group/pids.max"
done 2>/dev/null
events "$@"
`;

/**
 * A container for one program.
 *
 * @param user Whom it runs as. @default netdemo's own user
 * @throws {Failure} of kind `USAGE` if it can't run as that user.
 */
export async function openContainer(user?: string): Promise<Container> {
  const become = user === undefined ? [] : await becoming(user);
  const name = `netdemo-${crypto.randomUUID()}`;
  const made = Deno.build.os === "linux"
    ? await runScript(MAKE, name, String(MAX_MEMORY * 1_000_000))
    : undefined;
  const groups = made?.split("\n").filter((line) => line !== "") ?? [];
  /** How many processes the limit had prevented. */
  let prevented = 0;
  const end = async (own: ReadonlySet<number>): Promise<string[]> => {
    if (groups.length === 0) return [];
    const text = await runScript(END, ...groups) ?? "";
    const counts = [...text.matchAll(/^pids\.events max (\d+)/gm)].map(([, count]) =>
      Number(count)
    );
    const isCrowd = (counts[0] ?? 0) > prevented;
    // Those that the end itself prevented don't count.
    prevented = counts.at(-1) ?? 0;
    return [
      ...processGroupsIn(text).some((group) => !own.has(group)) ? [offences.left] : [],
      ...isCrowd ? [`ran more than ${MAX_PROCESSES} processes at once`] : [],
      ...(/ oom_kill [1-9]/.test(text) ? [offences.memory] : []),
    ];
  };
  return {
    kind: groups.length > 0 ? "control group" : "process group",
    wrap: (command, env) => {
      const inner = become.length === 0 ? command : [...become, ...variables(env), ...command];
      return groups.length === 0 ? inner : ["sh", "-c", ENTER, "sh", ...groups, "--", ...inner];
    },
    end,
    async remove() {
      if (groups.length === 0) return;
      await end(new Set());
      await runScript('for group; do rmdir "$group"; done', ...groups);
    },
  };
}

/** Another user gets no variable that is not for it. */
function variables(env: Readonly<Record<string, string>>): string[] {
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8", ...own];
}

/** The command that becomes a user for good. @throws {Failure} */
async function becoming(user: string): Promise<readonly string[]> {
  const hint = "the user must exist, netdemo must run as root, and setpriv (util-linux) be there";
  const facts = await runScript('id -u && id -g "$1" && command -v setpriv', user);
  const [own, group, setpriv] = facts?.trim().split("\n") ?? [];
  if (own !== "0" || group === undefined || setpriv === undefined) {
    throw misuse(`--run-as: cannot run the program as '${user}'`, { hint });
  }
  const ids = [`--reuid=${user}`, `--regid=${group}`, "--init-groups"];
  return [setpriv, ...ids, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"];
}
