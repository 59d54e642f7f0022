/** How connection failures are reported: in network namespaces of the tests' own, and at paths. */
import { systemWords } from "../cli/system_words.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { wordsOf } from "../cli/errors/failure_words.ts";
import type { SocketFailureKind } from "../sockets/errno.ts";
import { type SocketFacts, SocketFailure } from "../sockets/failure.ts";
import {
  type Ended,
  fromSource,
  ipv6,
  namespaces,
  type Need,
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  testWith,
  tool,
  unix,
} from "./harness/mod.ts";

/** Runs netdemo in a network namespace of its own, which the script sets up first. */
async function inNamespace(
  setUp: string,
  args: readonly string[],
  more: readonly string[] = [],
): Promise<Ended> {
  const script = `set -e; ip link set lo up; ${setUp}; exec "$@"`;
  const command = ["unshare", "-rn", ...more, "sh", "-c", script, "sh", ...netdemoCommand, ...args];
  await using process = new Process(command);
  return await process.ended();
}

const ip = tool("ip");
const nft: Need = tool("nft");

testWith([namespaces, ip], "a socket that connects to itself is refused", async () => {
  // The only port that a client may get here is that of its server.
  const range = "echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range";
  const args = ["hello-client", "--host=127.0.0.1", "--port=40000"];
  const { code, stderr } = await inNamespace(range, args);
  assertEquals(code, 11, stderr);
  assertMatch(stderr, /^netdemo: REFUSED: cannot connect to 127\.0\.0\.1:40000 \(tcp\)\n/);
});

interface Case {
  readonly name: string;
  readonly needs?: readonly Need[];
  readonly setUp: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly stderr: RegExp;
}

const cases: readonly Case[] = [
  {
    name: "a prohibited route is UNREACHABLE",
    setUp: "ip route add prohibit 10.9.9.9",
    args: ["hello-client", "--host=10.9.9.9", "--port=40"],
    code: 12,
    stderr: /^netdemo: UNREACHABLE: .* 10\.9\.9\.9:40 \(tcp\)\nhint: a firewall or a routing rule/,
  },
  {
    name: "a blackhole route is UNREACHABLE",
    setUp: "ip route add blackhole 10.9.9.9",
    args: ["message-client", "--host=10.9.9.9", "--port=40"],
    code: 12,
    stderr: /^netdemo: UNREACHABLE: .*\nhint: a routing rule of this host discards it\n$/,
  },
  {
    name: "no route is UNREACHABLE",
    setUp: "true",
    args: ["calc-client", "--host=10.9.9.9", "--port=40", "1", "2", "+"],
    code: 12,
    stderr: /^netdemo: UNREACHABLE: .*\nhint: this host has no route to that address/,
  },
  {
    name: "an address of this host that its loopback interface lacks is told apart",
    setUp: "ip addr del 127.0.0.1/8 dev lo",
    args: ["hello-client", "--host=127.0.0.1", "--port=40"],
    code: 12,
    stderr: /^netdemo: UNREACHABLE: .*\nhint: this host's loopback interface is down/,
  },
  {
    name: "a server that finds no loopback address says so, and names no flag",
    setUp: "ip addr del 127.0.0.1/8 dev lo",
    args: ["demo", "calc"],
    code: 15,
    stderr: /^netdemo: BIND: .*\nhint: this host's loopback interface is down, or has no such/,
  },
  {
    name: "a prohibited route is UNREACHABLE over UDP too, with no hint about sizes",
    setUp: "ip route add prohibit 10.9.9.9",
    args: ["calc-client", "--udp", "--host=10.9.9.9", "--port=40", "1", "2", "+"],
    code: 12,
    stderr: /^netdemo: UNREACHABLE: cannot send to .*\nhint: a firewall or a routing rule/,
  },
  {
    name: "ICMPv6 administratively prohibited is UNREACHABLE",
    needs: [nft],
    setUp: `nft 'add table ip6 t; add chain ip6 t out { type filter hook output priority 0; };
      add rule ip6 t out tcp dport 9 reject with icmpv6 type admin-prohibited'`,
    args: ["hello-client", "--host=::1", "--port=9"],
    code: 12,
    stderr: /^netdemo: UNREACHABLE: cannot connect to \[::1\]:9 \(tcp\)\nhint: a firewall/,
  },
  {
    name: "the failure names the outcome of each address, and the one that got furthest counts",
    needs: [nft],
    setUp: `nft 'add table ip6 t; add chain ip6 t out { type filter hook output priority 0; };
      add rule ip6 t out tcp dport 9 drop'`,
    args: ["hello-client", "--port=9", "--timeout=600ms"],
    code: 11,
    stderr:
      /^netdemo: REFUSED: cannot connect: 127\.0\.0\.1:9 refused, \[::1\]:9 did not answer within 600ms \(tcp\)\n/,
  },
  {
    name: "REFUSED by another host says how to start the server there",
    setUp: "ip addr add 10.9.9.9/32 dev lo",
    args: ["calc-client", "--host=10.9.9.9", "--port=4040", "1", "2", "+"],
    code: 11,
    stderr:
      /\nhint: .* start one on 10\.9\.9\.9: netdemo calc-server --host 0\.0\.0\.0 --port 4040\n$/,
  },
  {
    name: "REFUSED at the default port says how to name another",
    setUp: "true",
    args: ["calc-client", "1", "2", "+"],
    code: 11,
    stderr: /\nhint: .*; name the server's port: netdemo calc-client :4040\n$/,
  },
  {
    name: "a link-local address without its zone gets a hint about the zone",
    setUp: "true",
    args: ["hello-client", "--host=fe80::1", "--port=40"],
    code: 12,
    stderr: /\nhint: name the interface after a %, as netdemo address lists them\n$/,
  },
];

for (const { name, needs = [], setUp, args, code, stderr } of cases) {
  testWith([namespaces, ip, ...needs], name, async () => {
    const ended = await inNamespace(setUp, args);
    assertMatch(ended.stderr, stderr);
    assertEquals(ended.code, code);
  });
}

testWith(
  [unix],
  "a Unix path that is missing, not a socket or too long is reported as such",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/file`, "");
      const table: [path: string, code: number, stderr: RegExp][] = [
        [
          `${folder}/none`,
          11,
          /^netdemo: REFUSED: .*: the socket does not exist\nhint: no program/,
        ],
        [
          `${folder}/file`,
          11,
          /^netdemo: REFUSED: .*: the file isn't a socket\nhint: give the same path/,
        ],
        [
          `${folder}/${"x".repeat(100)}`,
          1,
          /^netdemo: ERROR: .*: the path is too long for a socket\n/,
        ],
      ];
      for (const [path, code, stderr] of table) {
        const ended = await netdemo(["hello-client", "--unix", path]);
        assertMatch(ended.stderr, stderr);
        assertEquals(ended.code, code);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("a failure names the action, the value and what to do next", () => {
  const endpoint = { hostname: "10.0.0.7", port: 40 };
  const errno = (code: string): Error => Object.assign(new Error(code), { code });
  const table: [SocketFailureKind, SocketFacts, unknown, RegExp, RegExp][] = [
    [
      "DNS",
      { phase: "resolve", host: "web" },
      errno("EAI_AGAIN"),
      /^no answer from the name server for 'web'$/,
      /does not answer/,
    ],
    [
      "DNS",
      { phase: "resolve", host: "web" },
      errno("ENOTFOUND"),
      /^the host name 'web' does not resolve$/,
      /spelling/,
    ],
    [
      "BIND",
      { phase: "listen", endpoint },
      errno("EMFILE"),
      /^cannot listen on 10\.0\.0\.7:40: too many files are open$/,
      new RegExp(systemWords().moreFiles),
    ],
    [
      "ERROR",
      { phase: "send", endpoint, protocol: "udp" },
      errno("EMSGSIZE"),
      /^cannot send to 10\.0\.0\.7:40 \(udp\)/,
      /at most 65506 bytes/,
    ],
  ];
  for (const [kind, facts, cause, message, hint] of table) {
    const words = wordsOf(new SocketFailure(kind, facts, cause));
    assertMatch(words.message, message);
    assertMatch(words.hint ?? "", hint);
  }
});

testWith(
  [namespaces, ip],
  "an address to connect from that this host lacks is not a missing route",
  async () => {
    // The namespace's loopback has no IPv6.
    const setUp = "ip link set lo up; sysctl -qw net.ipv6.conf.lo.disable_ipv6=1";
    const { code, stderr } = await inNamespace(setUp, ["calc-client", "[::1]:4040", "1", "2", "+"]);
    assertEquals(code, 12);
    assertMatch(
      stderr,
      /^netdemo: UNREACHABLE: .*\nhint: this host has no address to connect from/,
    );
  },
);

testWith([namespaces, ip], "names that get no answer hold up no others of a check", async () => {
  // A name server that is silent; the last name is in the hosts file.
  const setUp = `ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
    ip addr add 192.0.2.1/24 dev v0; ip neigh add 192.0.2.53 lladdr 02:00:00:00:00:53 dev v0
    mount -t tmpfs none /mnt
    printf 'nameserver 192.0.2.53\noptions timeout:1 attempts:1\n' > /mnt/resolv.conf
    echo '127.0.0.1 known.test' > /mnt/hosts
    for file in resolv.conf hosts; do mount --bind /mnt/$file /etc/$file; done`;
  const silent = Array.from({ length: 40 }, (_, index) => `dns=silent${index}.test:1`);
  const args = ["check", ...silent, "refused=known.test:1", "--timeout=500ms"];
  const { code, stdout } = await inNamespace(setUp, args, ["--mount"]);
  assertMatch(stdout, /^ok +refused=known\.test:1 /m);
  assertEquals(code, 0, stdout);
});

testWith([namespaces, ip], "check counts no family that this host lacks as blocked", async () => {
  const only6 = "ip addr del 127.0.0.1/8 dev lo";
  const only4 = "ip -6 addr flush dev lo";
  for (const [setUp, lacking] of [[only6, "127.0.0.1:1"], [only4, "[::1]:1"]] as const) {
    const blocked = await inNamespace(setUp, ["check", `blocked=${lacking}`]);
    assertEquals(blocked.code, 1, blocked.stdout);
    const both = await inNamespace(setUp, ["check", "refused=localhost:1", "--strict"]);
    assertEquals(both.code, 0, both.stdout);
    assertMatch(both.stdout, /^note refused=localhost:1 +\S+ +error /m);
  }
});

// Deno 2.5 does not support zones.
testWith(
  [namespaces, ip, fromSource],
  "a server on a link-local address shows its zone",
  async () => {
    const link = "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; " +
      "ip -6 addr add fe80::7/64 dev v0 nodad";
    const args = ["calc-server", "--host=fe80::7%v0", "--port=4040", "--max-time=1ms"];
    const { code, stdout } = await inNamespace(link, args);
    assertMatch(stdout, /^Listening on \[fe80::7%v0\]:4040 \(tcp\)$/m);
    assertEquals(code, 0);
  },
);

/** Two link-local addresses of one host, and servers on them, that end with the script. */
const LINK = `ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up;
ip -6 addr add fe80::7/64 dev v0 nodad`;

testWith(
  [namespaces, ip, fromSource],
  "lab, relay and path work at an address with a zone, and name it in every event",
  async () => {
    const relay = ["relay", "--host=fe80::7%v0", "--port=4501", "[fe80::7%v0]:4500", "--json"];
    const path = ["path", "--listen=[fe80::7%v0]:4500", "[fe80::7%v0]:4501", "--only=reply"];
    const lab = ["lab-server", "--host=fe80::7%v0", "--port=4500", "--json"];
    const words = (args: readonly string[]) => args.map((word) => `'${word}'`).join(" ");
    const script = `ip link set lo up; ${LINK}
      "$@" ${words(relay)} & relay=$!
      "$@" ${words(lab)} & lab=$!
      "$@" lab-server --udp --host=fe80::7%v0 --port=4500 --json --max-time=50s & udp=$!
      "$@" relay --host=fe80::7%v0 --port=4501 "udp://[fe80::7%v0]:4500" --json --max-time=50s &
      trap 'kill $relay $lab $udp $! 2>/dev/null || true' EXIT
      for port in 4500 4501; do
        "$@" check "[fe80::7%v0]:$port/lab" "udp://[fe80::7%v0]:$port/lab" --for 10s
        "$@" lab-client "[fe80::7%v0]:$port" whoami
        "$@" lab-client "udp://[fe80::7%v0]:$port" whoami
      done
      kill $lab; wait $lab
      "$@" ${words(path)}`;
    await using process = new Process(
      ["timeout", "60", "unshare", "-rn", "bash", "-ec", script, "sh", ...netdemoCommand],
    );
    const { code, stdout, stderr } = await process.ended();
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /^\S+ at \[fe80::7%v0\]:4500, you are \[fe80::7%v0\]:\d+$/m);
    assertMatch(stdout, /^ok +a request and its reply/m);
    const ends = stdout.split("\n").filter((line) => line.includes('"remote"'));
    assert(ends.length > 3, stdout);
    for (const line of ends) assertMatch(line, /"remote":"\[fe80::7%v0\]:\d+"/);
  },
);

testWith(
  [namespaces, ip],
  "--host :: takes both families where the system reserves it for IPv6",
  async () => {
    for (const server of ["calc-server", "lab-server"]) {
      const setUp = "echo 1 > /proc/sys/net/ipv6/bindv6only";
      const args = [server, "--host=::", "--port=4040", "--max-time=1ms"];
      const { stdout } = await inNamespace(setUp, args);
      assertMatch(stdout, /^Listening on \[::\]:4040 and 0\.0\.0\.0:4040 \(tcp\)$/m);
      assertMatch(
        (await inNamespace(":", args)).stdout,
        /^Listening on \[::\]:4040 \(tcp\)$/m,
      );
    }
  },
);

testWith(
  [ipv6],
  "a zone that this host does not have is named, for servers and clients",
  async () => {
    const target = "[fe80::1%nope]:4040";
    const commands = [
      ["calc-server", "--host", "fe80::1%nope", "--port", "4040"],
      ...["", "udp://"].flatMap((prefix) => [
        ["calc-client", prefix + target, "1", "2", "+"],
        ["check", prefix + target],
      ]),
    ];
    for (const command of commands) {
      const { stdout, stderr } = await netdemoInProcess(command);
      assertMatch(stdout + stderr, /: this host has no interface 'nope' for that address$/m);
      assertMatch(stderr, /\nhint: netdemo address lists/);
    }
  },
);
