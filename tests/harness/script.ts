import { assertEquals } from "@std/assert";
import { linux, type Need, netdemoCommand, run, tool, working } from "./mod.ts";

/** A network of one host, 192.0.2.7, with a firewall that the test chooses. */
export interface Host {
  readonly firewall: string;
}

/** What a {@linkcode Host} needs. */
export const hostNeeds: readonly Need[] = [
  linux,
  tool("ip"),
  working(
    "no network namespaces with nftables here",
    ...["unshare", "-rn", "sh", "-c", "ip link set lo up && nft add table inet probe"] as const,
  ),
];

const HOST_SET_UP = `ip link set lo up mtu 1500 && ip address add 192.0.2.7/32 dev lo &&
  nft "add table inet t; add chain inet t in { type filter hook input priority 0; }; $FIREWALL"`;

/** Runs a script in a new folder, with this netdemo in PATH; returns what it prints. */
export async function runScript(
  script: string,
  files: Readonly<Record<string, string>> = {},
  on?: Host,
): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const command = netdemoCommand.map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(`${folder}/netdemo`, `#!/bin/sh\nexec ${command} "$@"\n`, {
      mode: 0o755,
    });
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    // Ends whatever the script leaves running.
    const ended = `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${script}`;
    const line = on === undefined
      ? ["bash", "-e", "-c", ended]
      : ["unshare", "-rn", "bash", "-e", "-c", `${HOST_SET_UP}\n${ended}`];
    const { code, stdout, stderr } = await run(line, {
      cwd: folder,
      env: {
        PATH: `${folder}:${Deno.env.get("PATH")}`,
        ...(on === undefined ? {} : { FIREWALL: on.firewall }),
      },
    });
    assertEquals(code, 0, stdout + stderr);
    return stdout + stderr;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
