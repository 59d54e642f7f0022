/** Control groups (cgroups(7), both versions): whatever a program forks into is in its group. */
import { type Enclosure, MAX_MEMORY, MAX_PROCESSES, offences } from "./enclosure.ts";
import { processGroupsIn, runScript } from "./system.ts";

/**
 * Makes a group in version 2, or one each for processes, their CPU time and memory in version 1;
 * prints the folders. Each step that fails takes the group away again. However many processes are
 * in a group, they get no more CPU time than one outside.
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
{ echo ${MAX_PROCESSES} > "pids/$name/pids.max"; } 2>/dev/null
echo "/sys/fs/cgroup/pids/$name"
mkdir "cpu/$name" 2>/dev/null && echo "/sys/fs/cgroup/cpu/$name"
if mkdir "memory/$name" 2>/dev/null; then
  { echo "$bytes" > "memory/$name/memory.limit_in_bytes"; } 2>/dev/null
  echo "/sys/fs/cgroup/memory/$name"
fi
exit 0
`;

/** Enters the groups, if they are still there, and becomes the command. */
const ENTER = `
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; done
shift
exec "$@"
`;

/**
 * Ends all processes of the groups, after forbidding new ones, and waits until they are gone. Prints
 * what they were (proc(5), stat), and how often the groups' limits were met, before and after.
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
  [ -e "$group/cgroup.kill" ] && echo 1 > "$group/cgroup.kill"
  [ -e "$group/pids.max" ] && echo 0 > "$group/pids.max"
  tries=0
  while [ -n "$(cat "$group/cgroup.procs")" ]; do
    for pid in $(cat "$group/cgroup.procs"); do kill -9 "$pid"; done
    tries=$((tries + 1)); [ $tries -gt 200 ] && break
    sleep 0.01
  done
  [ -e "$group/pids.max" ] && echo ${MAX_PROCESSES} > "$group/pids.max"
done 2>/dev/null
events "$@"
`;

/** Removes groups without processes. */
const REMOVE = 'for group; do rmdir "$group"; done';

/** Prints the groups whose names begin with a text; those that can forbid processes come first. */
const FIND = `
cd /sys/fs/cgroup && for group in "$1"* pids/"$1"* [cm]*/"$1"*; do
  [ -d "$group" ] && echo "/sys/fs/cgroup/$group"
done
exit 0
`;

const PREFIX = "netdemo-";

/** Ends what is left in groups whose names begin like this, and removes them. */
export async function endControlGroups(names: string): Promise<void> {
  const found = (await runScript(FIND, PREFIX + names))?.trim() ?? "";
  if (found === "") return;
  await runScript(END, ...found.split("\n"));
  await runScript(REMOVE, ...found.split("\n"));
}

/** Makes a control group of this name; `undefined` where netdemo may not. */
export async function openControlGroup(name: string): Promise<Enclosure | undefined> {
  const made = await runScript(MAKE, PREFIX + name, String(MAX_MEMORY * 1_000_000));
  if (made === undefined) return undefined;
  const groups = made.trim().split("\n");
  /** How many processes the limit had prevented. */
  let prevented = 0;
  const end = async (own: ReadonlySet<number>): Promise<string[]> => {
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
    wrap: (command) => ["sh", "-c", ENTER, "sh", ...groups, "--", ...command],
    end,
    async remove() {
      await end(new Set());
      await runScript(REMOVE, ...groups);
    },
  };
}
