import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { kindOfAddress, kindOfPort } from "../commands/address/address_kinds.ts";
import { canonicalAddress, formatEndpoint, isSameEndpoint } from "../protocol/addresses.ts";
import {
  fromSource,
  ipv6,
  type Need,
  netdemoCommand,
  netdemoInProcess,
  Process,
  startServer,
  testWith,
  unix,
} from "./harness/mod.ts";

/** The events that a command prints with `--json`. */
async function eventsOf(args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await netdemoInProcess(args);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("an IP address has one canonical form, and anything else has none", () => {
  const table: Record<string, string | undefined> = {
    "127.0.0.1": "127.0.0.1",
    "::1": "::1",
    "[::1]": "::1",
    "0:0:0:0:0:0:0:1": "::1",
    "2001:DB8::0:1": "2001:db8::1",
    "fe80::1%eth0": "fe80::1%eth0",
    "::": "::",
    "::zz": undefined,
    "1::2::3": undefined,
    "fe80::1%": undefined,
    "256.0.0.1": undefined,
    "1.2.3": undefined,
    "01.2.3.4": undefined,
    "localhost": undefined,
    "": undefined,
  };
  for (const [text, address] of Object.entries(table)) {
    assertEquals(canonicalAddress(text), address, text);
  }
});

Deno.test("an endpoint is written address:port, IPv6 in brackets", () => {
  assertEquals(formatEndpoint({ hostname: "127.0.0.1", port: 40 }), "127.0.0.1:40");
  assertEquals(formatEndpoint({ hostname: "::1", port: 40 }), "[::1]:40");
  assertEquals(formatEndpoint({ hostname: "::ffff:127.0.0.1", port: 40 }), "127.0.0.1:40");
  assertEquals(formatEndpoint({ path: "/tmp/x" }), "/tmp/x");
});

Deno.test("an endpoint is the same however its address is written", () => {
  const same = (one: string, other: string): boolean =>
    isSameEndpoint({ hostname: one, port: 40 }, { hostname: other, port: 40 });
  assert(same("::1", "0:0::1"));
  assert(same("fe80::1%eth0", "fe80::1"));
  assert(same("::ffff:127.0.0.1", "127.0.0.1"));
  assert(same("::ffff:7f00:1", "127.0.0.1"));
  assert(!same("127.0.0.2", "127.0.0.1"));
  assert(!isSameEndpoint({ hostname: "::1", port: 40 }, { hostname: "::1", port: 41 }));
});

Deno.test("addresses are classified as the RFCs say, to the edge of each range", () => {
  const kinds: Record<string, string[]> = {
    unspecified: ["0.0.0.0", "::"],
    loopback: ["127.0.0.0", "127.255.255.255", "::1"],
    private: [
      "10.0.0.0",
      "10.255.255.255",
      "172.16.0.0",
      "172.31.255.255",
      "192.168.0.0",
      "192.168.255.255",
    ],
    "private (unique local)": ["fc00::", "fdff:ffff::1"],
    "link-local": ["169.254.0.1", "fe80::1", "febf::1", "fe80::1%eth0"],
    multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
    documentation: [
      "192.0.2.1",
      "198.51.100.255",
      "203.0.113.0",
      "2001:db8:ffff::1",
      "3fff:fff::1",
    ],
    broadcast: ["255.255.255.255"],
    reserved: ["240.0.0.0", "255.255.255.254", "4000::1", "fec0::1"],
    benchmarking: ["198.18.0.0", "198.19.255.255"],
    "shared by a provider's customers": ["100.64.0.0", "100.127.255.255"],
    "IPv4-mapped": ["::ffff:1.2.3.4"],
    public: [
      "1.1.1.1",
      "172.15.255.255",
      "172.32.0.0",
      "100.128.0.0",
      "198.20.0.0",
      "2001:db9::1",
      "2a00::1",
    ],
  };
  for (const [kind, addresses] of Object.entries(kinds)) {
    for (const address of addresses) assertEquals(kindOfAddress(address).name, kind, address);
  }
  assertThrows(() => kindOfAddress("localhost"), TypeError, "localhost");
});

Deno.test("ports are classified as RFC 6335 says", () => {
  const kinds = [0, 1, 1_023, 1_024, 49_151, 49_152, 65_535].map((port) => kindOfPort(port).name);
  assertEquals(kinds, [
    "any free one",
    "well-known",
    "well-known",
    "registered",
    "registered",
    "ephemeral",
    "ephemeral",
  ]);
});

Deno.test("netdemo address shows this host's addresses, loopback first", async () => {
  const { code, stdout, stderr } = await netdemoInProcess(["address"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const [title = "", , head = "", first = ""] = stdout.split("\n");
  assertEquals(title, `This host is called ${Deno.hostname()}.`);
  assertMatch(head, /^interface +address +family +kind +reached from$/);
  assertMatch(first, / (127\.0\.0\.1 +IPv4|::1 +IPv6) +loopback +this host$/);

  const events = await eventsOf(["address", "--json"]);
  assertEquals(new Set(events.map(({ name }) => name)), new Set([Deno.hostname()]));
  assertEquals(events.length, Deno.networkInterfaces().length);
  const kinds = events.map(({ kind }) => kind);
  assert(
    kinds.lastIndexOf("loopback") <
      kinds.length - kinds.filter((kind) => kind !== "loopback").length,
  );
});

Deno.test("netdemo address NAME shows what it resolves to, and how long that took", async () => {
  const { code, stdout } = await netdemoInProcess(["address", "localhost"]);
  assertEquals(code, 0);
  assertMatch(
    stdout,
    /^localhost stands for 2 addresses \(resolved in [\d.]+ ms\):\n\naddress +family/,
  );
  assertMatch(stdout, /\n(127\.0\.0\.1 +IPv4|::1 +IPv6) +loopback +this host +RFC /);
  const events = await eventsOf(["address", "--json", "localhost:80"]);
  const [{ name, elapsedMs } = {}, { port, kind } = {}] = [events[0], events.at(-1)];
  assertEquals([name, port, kind], ["localhost", 80, "well-known"]);
  assert(Number(elapsedMs) > 0);

  const missing = await netdemoInProcess(["address", "--json", "no-such-host.invalid"]);
  assertEquals(missing.code, 10);
  assertMatch(missing.stderr, /^netdemo: DNS: .*\nhint: /);
  assertEquals(JSON.parse(missing.stdout).failure, "DNS");
});

Deno.test("netdemo address explains an address and a port", async () => {
  const { stdout } = await netdemoInProcess(["address", "10.0.0.5:8080"]);
  assertMatch(stdout, /\n10\.0\.0\.5 +IPv4 +private +this site +RFC 1918\n/);
  assertMatch(stdout, /\nPort 8080 is registered: for any server \(RFC 6335, section 6\)\.\n/);
  const six = await netdemoInProcess(["address", "[::1]:40"]);
  assertMatch(six.stdout, /\n::1 +IPv6 +loopback +this host +RFC 4291, section 2\.5\.3\n/);
  assertMatch(six.stdout, /\nPort 40 is well-known: /);
  assertMatch((await netdemoInProcess(["address", ":51234"])).stdout, /^Port 51234 is ephemeral: /);
});

Deno.test("anything but a name, an address or a port is a usage error", async () => {
  for (const args of [["::zz"], ["1.2.3.4:99999"], ["a", "b"], [""], ["[::1"], ["--port", "4"]]) {
    const { code, stderr } = await netdemoInProcess(["address", ...args]);
    assertEquals(code, 2, args.join(" "));
    assertMatch(stderr, /^netdemo: USAGE: .*\nhint: /);
  }
});

Deno.test("--host takes an address or a name, and says so when given a port", async () => {
  const table: Record<string, RegExp> = {
    "127.0.0.1:40": /--host takes no port.*\nhint: .* --host 127\.0\.0\.1 --port 40\n/,
    "[::1]:40": /--host takes no port/,
    "localhost:40": /--host takes no port/,
    "http://localhost:40/": /--host takes no URL.*\nhint: .* --host localhost\n/,
    "::zz": /--host: '::zz' is not an IPv6 address\nhint: .* ::1 or /,
    "10.1": /--host: '10\.1' is not an IPv4 address\nhint: .*, for example 10\.0\.0\.7\n/,
    "0x7f.1": /--host: '0x7f\.1' is not an IPv4 address/,
    "me@web": /--host: 'me@web' is not a host name\nhint: .*: web\n/,
  };
  for (const [host, message] of Object.entries(table)) {
    const { code, stderr } = await netdemoInProcess(["hello-client", "--host", host]);
    assertEquals(code, 2);
    assertMatch(stderr, message);
  }
});

/** Starts a server on an address, asks it over each of the hosts, and returns its output. */
async function askOver(
  hosts: readonly string[],
  listen: string,
  ...flags: string[]
): Promise<string> {
  const args = ["calc-server", "--host", listen, "--port", "0", ...flags];
  await using server = new Process([...netdemoCommand, ...args]);
  const [, port = ""] = await server.printed(/Listening on \S+:(\d+)[^\n]* \(\w+\)\n/);
  for (const host of hosts) {
    const where = ["--host", host, "--port", port, ...flags];
    const ended = await netdemoInProcess(["calc-client", ...where, "1", "1", "+"]);
    assertEquals(ended, { code: 0, stdout: "Sum of 1 and 1 is 2\n", stderr: "" }, host);
  }
  return (await server.stop()).stdout;
}

testWith(
  [ipv6, unix],
  "--host with one IPv6 address takes that address only, however it is written",
  async () => {
    for (const host of ["::1", "[::1]", "0:0::1"]) {
      assertMatch(await askOver([host], host), /Listening on \[::1\]:\d+ \(tcp\)\n/);
    }
  },
);

testWith([ipv6, unix], "--host :: takes both families", async () => {
  const hosts = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];
  assertMatch(await askOver(hosts, "::"), /Listening on \[::\]:\d+ \(tcp\)/);
  // Each address has its own socket, so the reply comes from the address that was asked.
  const udp = await askOver(hosts, "::", "--udp");
  assertMatch(udp, /Listening on .*127\.0\.0\.1:\d+ and \[::1\]:\d+.* \(udp\)/);
});

testWith([ipv6], "a server on :: shows peers of both families by their own addresses", async () => {
  const { process, port } = await startServer(["hello-server", "--udp", "--host", "::"]);
  await using _process = process;
  for (const host of ["127.0.0.1", "::1"]) {
    const where = ["--udp", "--host", host, "--port", String(port)];
    assertEquals((await netdemoInProcess(["hello-client", ...where])).code, 0);
  }
  await process.printed(/from 127\.0\.0\.1:\d+\n[^]*from \[::1\]:\d+\n/);
});

const linkLocal = Deno.networkInterfaces().find(({ address }) => address.startsWith("fe80:"));

const zones: Need = { missing: "no link-local address", isMet: () => linkLocal !== undefined };

// Deno 2.5 does not support zones.
testWith(
  [zones, fromSource, unix],
  "UDP works over a link-local address, though replies show it in another form",
  async () => {
    const host = `${linkLocal?.address}%${linkLocal?.name}`;
    await askOver([host], host, "--udp");
  },
);

testWith([ipv6], "binding a link-local address without its interface is BIND", async () => {
  const zone = await netdemoInProcess(["calc-server", "--host", "fe80::1", "--port", "0"]);
  assertEquals(zone.code, 15);
  assertMatch(
    zone.stderr,
    /a link-local address needs an interface\nhint: .*%/,
  );
});
