/**
 * What keeps the program under test from outliving its examination, and from netdemo's own files.
 *
 * On Linux, where netdemo may make control groups, it gets one of its own: whatever it forks into
 * is in it, the kernel limits its memory, and all of it ends at once. Where it may not, a PID
 * namespace does the same but for the memory. Elsewhere its process group and its environment's
 * mark have to do.
 */
import { misuse } from "../../../cli/errors/failure.ts";
import { os } from "../../../sockets/system.ts";
import { openControlGroup } from "./control_group.ts";
import type { Enclosure } from "./enclosure.ts";
import { openPidNamespace } from "./pid_namespace.ts";
import { runScript } from "./system.ts";

/** How a program is contained. */
export type Containment = "control group" | "PID namespace" | "process group";

/** Starts a command within a containment. */
export interface Container extends Omit<Enclosure, "wrap"> {
  readonly kind: Containment;
  /** The command that starts another one inside, with these variables. */
  wrap(command: readonly string[], env: Readonly<Record<string, string>>): readonly string[];
}

/** The kinds of enclosures, the best one first. */
const enclosures = [
  ["control group", openControlGroup],
  ["PID namespace", openPidNamespace],
] as const;

/** Its process group is all that a program has elsewhere. */
const NONE: Enclosure = {
  wrap: (command) => command,
  end: () => Promise.resolve([]),
  remove: () => Promise.resolve(),
};

/**
 * A container for one program.
 *
 * @param user Whom it runs as. @default netdemo's own user
 * @param name A name that no other has. @default a random one
 * @throws {Failure} of kind `USAGE` if it can't run as that user.
 */
export async function openContainer(
  user?: string,
  name: string = crypto.randomUUID(),
): Promise<Container> {
  const become = user === undefined ? [] : await becoming(user);
  const [kind, enclosure] = await openEnclosure(name);
  return {
    ...enclosure,
    kind,
    wrap: (command, env) =>
      enclosure.wrap(
        become.length === 0 ? command : [...become, ...variables(env), ...command],
      ),
  };
}

async function openEnclosure(name: string): Promise<[Containment, Enclosure]> {
  if (os === "linux") {
    for (const [kind, open] of enclosures) {
      const enclosure = await open(name);
      if (enclosure !== undefined) return [kind, enclosure];
    }
  }
  return ["process group", NONE];
}

/** Another user gets no variable that is not for it. */
function variables(env: Readonly<Record<string, string>>): string[] {
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8", ...own];
}

/** What stands in the way of running as another user, with what to do about it. */
const OBSTACLES = {
  root: "netdemo must run as root: sudo netdemo grade ...",
  user: "there is no such user: create it, for example with useradd",
  setpriv: "it takes setpriv: install the package util-linux",
} as const;

/**
 * The command that becomes a user for good. It takes setpriv: what su starts could become root
 * again through a setuid program, and leaves the process group.
 *
 * @throws {Failure} of kind `USAGE`
 */
async function becoming(user: string): Promise<readonly string[]> {
  const facts = (await runScript(FACTS, user))?.trim() ?? "setpriv";
  const obstacle = Object.entries(OBSTACLES).find(([name]) => facts === name);
  if (obstacle !== undefined) {
    const [, hint] = obstacle;
    throw misuse(`--run-as: cannot run the program as '${user}'`, { hint });
  }
  const [group = "", setpriv = ""] = facts.split("\n");
  const ids = [`--reuid=${user}`, `--regid=${group}`, "--init-groups"];
  return [setpriv, ...ids, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"];
}

/** Prints the user's group and the path of setpriv, or the name of what stands in the way. */
const FACTS = `
[ "$(id -u)" = 0 ] || { echo root; exit; }
group=$(id -g "$1" 2>/dev/null) || { echo user; exit; }
setpriv=$(command -v setpriv) || { echo setpriv; exit; }
echo "$group"; echo "$setpriv"
`;
