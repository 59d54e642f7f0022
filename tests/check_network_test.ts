/** check through a real router and firewall: what each kind of block looks like from the client. */
import {
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
} from "@std/assert";
import type { Verdict } from "../commands/check/probe/verdict.ts";
import {
  executable,
  NARROW_MTU,
  netdemoCommand,
  Network,
  networkNeeds,
  type Process,
  testWith,
} from "./harness/mod.ts";

/** Server ports that the router's firewall treats specially, in both families. */
const FIREWALL = `
table inet blocks {
  set down {
    type ipv4_addr
    elements = { 10.77.1.5 }
  }
  chain forwarding {
    type filter hook forward priority 0;
    meta l4proto { tcp, udp } th dport 1 drop
    tcp dport 2 reject with tcp reset
    th dport 3 reject with icmpx type port-unreachable
    th dport 4 reject with icmpx type admin-prohibited
    th dport 5 reject with icmpx type host-unreachable
    th dport 6 reject with icmpx type no-route
    ip daddr @down drop
    ip6 daddr fd77:1::5 drop
    ip daddr 10.77.1.3 tcp flags syn / fin,syn,rst,ack numgen inc mod 2 0 drop
  }
  chain output {
    type filter hook output priority 0;
    icmp type destination-unreachable icmp code frag-needed drop
    icmpv6 type packet-too-big drop
  }
}
`;

/** The client's own firewall. */
const CLIENT_FIREWALL = `
table inet own {
  chain output {
    type filter hook output priority 0;
    meta l4proto { tcp, udp } th dport 7 drop
    th dport 8 reject
  }
}
`;

const PORT = 4040;
const HOSTS = `
10.77.1.2 server
10.77.1.2 half
fd77:1::5 half
10.77.1.9 off
`;

/** What check reports about one address. */
interface Found {
  readonly event: string;
  readonly target: string;
  readonly remote?: string;
  readonly verdict: Verdict;
  readonly asExpected: boolean;
  readonly control?: boolean;
  readonly errno?: string;
  readonly connectMs?: number;
  readonly passedBytes?: number;
  readonly failedBytes?: number;
}

/** The network with a calculator on the server, over TCP and UDP and both families. */
async function startNetwork(stack: AsyncDisposableStack): Promise<Network> {
  const network = stack.use(await Network.create(HOSTS));
  await Promise.all([
    network.firewall("router", FIREWALL),
    network.firewall("client", CLIENT_FIREWALL),
    // A UDP socket on all addresses would not reply from the address that was asked.
    ...[["::"], ["10.77.1.2", "--udp"], ["fd77:1::2", "--udp"]].map(async (where) => {
      const args = ["calc-server", "--port", String(PORT), "--host", ...where];
      const server = stack.use(network.start("server", [...netdemoCommand, ...args]));
      await server.printed(/Listening on/);
    }),
  ]);
  return network;
}

function startCheck(network: Network, ...args: readonly string[]): Process {
  return network.start("client", [...netdemoCommand, "check", ...args]);
}

/** What check finds, and its exit code. */
async function check(
  network: Network,
  ...args: readonly string[]
): Promise<{ code: number; found: readonly Found[]; stderr: string }> {
  await using process = startCheck(network, "--json", ...args);
  const { code, stdout, stderr } = await process.ended();
  const found = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  return { code, found, stderr };
}

/** Both families of an address: `10.77.1.2` and `fd77:1::2`. */
const families = [
  (network: number, host: number) => `10.77.${network}.${host}`,
  (network: number, host: number) => `[fd77:${network}::${host}]`,
];

/** Targets, each with its verdict and errno. */
const blocks: readonly (readonly [target: string, verdict: Verdict, errno?: string])[] = families
  .flatMap((address, six) => {
    const host = address(1, 2);
    return [
      [`${host}:${PORT}`, "ok"],
      [`udp://${host}:${PORT}`, "ok"],
      [`${host}:9`, "refused", "ECONNREFUSED"],
      [`${host}:1`, "dropped"],
      [`${host}:2`, "refused", "ECONNREFUSED"],
      [`${host}:3`, "refused", "ECONNREFUSED"],
      [`${host}:4`, "unreachable", six ? "EACCES" : "EHOSTUNREACH"],
      [`${host}:5`, "unreachable", "EHOSTUNREACH"],
      [`${host}:6`, "unreachable", "ENETUNREACH"],
      [`${host}:7`, "dropped"],
      [`${host}:8`, "refused", "ECONNREFUSED"],
      [`${address(0, 9)}:${PORT}`, "unreachable", "EHOSTUNREACH"],
      // The router has no route to the first; this host has none to the second, or a forbidding one.
      six
        ? ["[2001:db8::1]:1", "unreachable", "ENETUNREACH"]
        : ["10.80.0.1:1", "error", "ENETUNREACH"],
      // A connection to many hosts at once never leaves this one.
      ...(six ? ["[ff02::1]", "[ff0e::1]"] : ["224.0.0.1", "255.255.255.255", address(0, 255)])
        .map((many) => [`${many}:1`, "error", "ENETUNREACH"] as const),
      [`${six ? "[fd78::1]" : "10.78.0.1"}:1`, "error", "EACCES"],
      [`${six ? "[fd79::1]" : "10.79.0.1"}:1`, "error", "EINVAL"],
      [`udp://${host}:1`, "silent"],
      [`udp://${host}:3`, "silent"],
      [`udp://${host}:7`, "error", "EPERM"],
      [`udp://${six ? "[fd78::1]" : "10.78.0.1"}:1`, "error", "EACCES"],
    ] as const;
  });

testWith(networkNeeds, "check finds what a router and a firewall do", async () => {
  await using stack = new AsyncDisposableStack();
  const network = await startNetwork(stack);
  await Promise.all([
    eachBlock(network),
    eachExpectation(network),
    halfDead(network),
    narrowLink(network),
    lostRequest(network),
    names(network),
    clients(network),
    firewallGoesUp(network),
    firewallGoesDown(network),
  ]);
});

/** Each kind of block has the verdict and errno that the system reports. */
async function eachBlock(network: Network): Promise<void> {
  const targets = blocks.map(([target]) => target);
  const { found } = await check(network, ...targets, "--timeout", "3600ms");
  const byTarget = new Map(found.map((it) => [it.target, it]));
  assertEquals(
    targets.map((target) => {
      const { verdict, errno } = byTarget.get(target) ?? {};
      return [target, verdict, errno].join(" ").trim();
    }),
    blocks.map((block) => block.join(" ")),
  );
}

/** Blocks are as expected, with a control; a host that is off has none. */
async function eachExpectation(network: Network): Promise<void> {
  const targets = [
    "server:4040",
    "dropped=server:1",
    "refused=server:2",
    "unreachable=server:4",
    ...["1", "2", "4", "7"].map((port) => `blocked=server:${port}`),
    "blocked=udp://server:1",
    "silent=udp://server:1",
  ];
  const fine = await check(network, ...targets, "--timeout", "1200ms", "--strict");
  assertEquals(fine.code, 0, fine.stderr);
  const probes = fine.found.filter(({ event }) => event === "probe");
  assertEquals(probes.map(({ control }) => control), [undefined, ...Array(9).fill(true)]);

  const off = ["server:4040", "blocked=off:4040", "--timeout", "1500ms"];
  const lenient = await check(network, ...off);
  assertEquals([lenient.code, lenient.found[1]?.control], [0, false]);
  assertMatch(lenient.stderr, /^note: nothing answered at 10\.77\.1\.9 in this run/m);
  const strict = await check(network, ...off, "--strict");
  assertEquals(strict.code, 1);
}

/** Half of a dual stack is dead: as expected with a note, and not with --strict. */
async function halfDead(network: Network): Promise<void> {
  const args = ["half:4040", "--timeout", "1500ms"];
  const [lenient, strict] = await Promise.all([
    check(network, ...args),
    check(network, ...args, "--strict"),
  ]);
  assertEquals([lenient.code, strict.code], [0, 124]);
  const rows = lenient.found.filter(({ event }) => event === "probe");
  assertEquals(rows.map(({ remote, verdict }) => [remote, verdict]).sort(), [
    ["10.77.1.2:4040", "ok"],
    ["[fd77:1::5]:4040", "dropped"],
  ]);
  await using process = startCheck(network, ...args);
  assertMatch((await process.ended()).stdout, /^note half:4040 fd77:1::5 +dropped/m);
}

/** On a link that drops large packets, the largest request that passes is found to the byte. */
async function narrowLink(network: Network): Promise<void> {
  // Header bytes: IPv4 20, IPv6 40, TCP with timestamps 32, UDP 8.
  const limits = new Map([
    ["10.77.1.2:4040", NARROW_MTU - 20 - 32],
    ["[fd77:1::2]:4040", NARROW_MTU - 40 - 32],
    ["udp://10.77.1.2:4040", NARROW_MTU - 20 - 8],
    ["udp://[fd77:1::2]:4040", NARROW_MTU - 40 - 8],
  ]);
  // The first packet to a neighbour may wait for address resolution, which is not measured here.
  assertEquals((await check(network, ...limits.keys(), "--for", "10s")).code, 0);
  const args = [...limits.keys(), "--sizes", "1320..1380", "--timeout", "1s"];
  const { code, found } = await check(network, ...args);
  assertEquals(code, 124);
  const sizes = found.filter(({ event }) => event === "sizes");
  assertEquals(
    sizes.map(({ target, passedBytes, failedBytes }) => [target, passedBytes, failedBytes]),
    [...limits].map(([target, size]) => [target, size, size + 1]),
  );
}

/** A connect that takes a second has lost its first request, and check says so. */
async function lostRequest(network: Network): Promise<void> {
  await using process = startCheck(network, "10.77.1.3:4040");
  const { code, stdout } = await process.ended();
  assertEquals(code, 0);
  const took = Number(/connect (\d+)/.exec(stdout)?.[1]);
  assertGreaterOrEqual(took, 1_000);
  if (took < 1_300) assertMatch(stdout, /\(a connection request was lost/);
}

/** A name server that does not answer is not reported as a name that does not exist. */
async function names(network: Network): Promise<void> {
  await using process = startCheck(network, "dns=no-such-name.example:1", "--timeout", "2s");
  const { code, stdout } = await process.ended();
  assertEquals(code, 0);
  // An executable may have an older runtime: up to Deno 2.5 all lookups fail alike.
  const words = executable === undefined
    ? /no answer from the name server/
    : /no such name|no answer/;
  assertMatch(stdout, words);
}

/** The lesson's clients report a blocked route as check does. */
async function clients(network: Network): Promise<void> {
  const shut = [["10.77.1.2", "4"], ["10.77.1.2", "6"], ["10.78.0.1", "1"], ["10.79.0.1", "1"]];
  const codes = shut.map(async ([host = "", port = ""]) => {
    const args = ["hello-client", "--host", host, "--port", port];
    await using process = network.start("client", [...netdemoCommand, ...args]);
    const { code, stderr } = await process.ended();
    assertMatch(stderr, /^netdemo: UNREACHABLE: /m);
    return code;
  });
  assertEquals(await Promise.all(codes), [12, 12, 12, 12]);
}

/** --for waits until the firewall holds. */
async function firewallGoesUp(network: Network): Promise<void> {
  const args = ["dropped=10.77.1.4:4040", "--for", "20s", "--timeout", "500ms", "--json"];
  await using process = startCheck(network, ...args);
  await process.printed(/"verdict":"ok"/);
  await network.firewall("router", "add element inet blocks down { 10.77.1.4 }");
  assertEquals((await process.ended()).code, 0);
}

/** --for finds a service soon after it comes up, though an earlier try is still waiting. */
async function firewallGoesDown(network: Network): Promise<void> {
  const args = ["10.77.1.5:4040", "--for", "20s", "--timeout", "2s", "--json"];
  await using process = startCheck(network, ...args);
  await process.printed(/"verdict":"dropped"/);
  await network.firewall("router", "delete element inet blocks down { 10.77.1.5 }");
  const openAt = performance.now();
  const { code, stdout } = await process.ended();
  assertEquals(code, 0);
  assertLess(performance.now() - openAt, 1_500); // 250 ms, plus slack for a busy machine
  assertGreater(stdout.split("\n").length, 2);
}
