import { Process, type ProcessOptions, run } from "./process.ts";
import { linux, type Need, root, tool, working } from "./needs.ts";

/** What a {@linkcode Network} needs. */
export const networkNeeds: readonly Need[] = [
  linux,
  root,
  tool("ip"),
  tool("nft"),
  working(
    "no network namespaces with nftables here",
    ...["unshare", "-n", "sh", "-c", "ip link set lo up && nft add table inet probe"] as const,
  ),
];

/** One of the three hosts of a {@linkcode Network}. */
export type Host = "client" | "router" | "server";

/** The MTU from the router to the server; everywhere else it is 1,500. */
export const NARROW_MTU = 1_400;

/**
 * Three hosts in network namespaces: a client, a router with a firewall, and a
 * server. They are removed with their scope.
 *
 * ```
 * client 10.77.0.2, fd77:0::2 -- router -- server 10.77.1.2-9, fd77:1::2-9
 * ```
 */
export class Network implements AsyncDisposable {
  readonly #names: Readonly<Record<Host, string>>;

  private constructor(id: string) {
    this.#names = { client: `nd-c-${id}`, router: `nd-r-${id}`, server: `nd-s-${id}` };
  }

  /** @param hosts Lines of the client's hosts file. */
  static async create(hosts: string): Promise<Network> {
    const network = new Network(`${Deno.pid}-${networks++}`);
    try {
      await network.#setUp(hosts);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** Starts a program on a host. */
  start(host: Host, command: readonly string[], options?: ProcessOptions): Process {
    return new Process(["ip", "netns", "exec", this.#names[host], ...command], options);
  }

  /** Adds firewall rules to a host, in nftables' language. */
  async firewall(host: Host, rules: string): Promise<void> {
    await succeed(["ip", "netns", "exec", this.#names[host], "nft", "-f", "-"], rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of Object.values(this.#names)) {
      await run(["ip", "netns", "delete", name]);
    }
    await Deno.remove(`/etc/netns/${this.#names.client}`, { recursive: true }).catch(() => {});
  }

  async #setUp(hosts: string): Promise<void> {
    const { client, router, server } = this.#names;
    await Deno.mkdir(`/etc/netns/${client}`, { recursive: true });
    await Deno.writeTextFile(`/etc/netns/${client}/hosts`, `127.0.0.1 localhost\n${hosts}`);
    // Its name server is the router, where nothing is listening.
    await Deno.writeTextFile(`/etc/netns/${client}/resolv.conf`, "nameserver 10.77.0.1\n");
    const names = [client, router, server];
    await ip(names.map((name) => `netns add ${name}`).join("\n"));
    // IPv6's duplicate address detection would delay each address by a second.
    await Promise.all(names.map((name) => sysctl(name, "net.ipv6.conf.default.accept_dad=0")));
    await ip(`
      link add left netns ${client} type veth peer name left netns ${router}
      link add right netns ${server} type veth peer name right netns ${router}
    `);
    await Promise.all([
      inside(
        client,
        `${addresses("left", ["10.77.0.2/24", "fd77:0::2/64"])}
        route add default via 10.77.0.1
        -6 route add default via fd77:0::1
        route add prohibit 10.78.0.0/24
        route add blackhole 10.79.0.0/24
        route add throw 10.80.0.0/24
        -6 route add prohibit fd78::/64
        -6 route add blackhole fd79::/64`,
      ),
      inside(
        router,
        `${addresses("left", ["10.77.0.1/24", "fd77:0::1/64"])}
        ${addresses("right", ["10.77.1.1/24", "fd77:1::1/64"])}
        link set right mtu ${NARROW_MTU}`,
      ),
      inside(
        server,
        `${
          addresses(
            "right",
            [2, 3, 4, 5].flatMap((n) => [`10.77.1.${n}/24`, `fd77:1::${n}/64`]),
          )
        }
        route add default via 10.77.1.1
        -6 route add default via fd77:1::1`,
      ),
    ]);
    await sysctl(router, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    // Linux limits ICMP errors per second, so with many tests at once some would get none.
    await sysctl(router, "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0");
  }
}

/** The number of networks that this process has created. */
let networks = 0;

function addresses(device: string, given: readonly string[]): string {
  const lines = given.map((address) =>
    `addr add ${address} dev ${device}${address.includes(":") ? " nodad" : ""}`
  );
  return [...lines, `link set ${device} up`].join("\n");
}

async function inside(name: string, lines: string): Promise<void> {
  await ip(`link set lo up\n${lines}`, ["-n", name]);
}

async function sysctl(name: string, ...settings: readonly string[]): Promise<void> {
  await succeed(["ip", "netns", "exec", name, "sysctl", "-q", "-w", ...settings]);
}

/** Runs `ip` with each of the lines. */
async function ip(lines: string, before: readonly string[] = []): Promise<void> {
  const batch = lines.split("\n").map((line) => line.trim()).filter(Boolean);
  // Lines of a batch can't contain -6, so those form a batch of their own.
  const six = batch.filter((line) => line.startsWith("-6 ")).map((line) => line.slice(3));
  const rest = batch.filter((line) => !line.startsWith("-6 "));
  await succeed(["ip", ...before, "-batch", "-"], `${rest.join("\n")}\n`);
  if (six.length > 0) await succeed(["ip", ...before, "-6", "-batch", "-"], `${six.join("\n")}\n`);
}

async function succeed(command: readonly string[], stdin?: string): Promise<void> {
  const { code, stderr } = await run(command, { stdin });
  if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}
