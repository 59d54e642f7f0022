import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { looksLikeTarget, parseTarget, type Target } from "../cli/arguments/target.ts";
import { Failure } from "../cli/errors/failure.ts";
import { netdemoInProcess, startServer, testWith, unix } from "./harness/mod.ts";

const services = ["calc", "message", "hello", "lab", "open"];

type Row = readonly [text: string, protocol: "tcp" | "udp", host: string, port: number, string?];

const targets: readonly Row[] = [
  ["localhost:4040", "tcp", "localhost", 4040],
  ["tcp://web:80", "tcp", "web", 80],
  ["udp://web:1", "udp", "web", 1],
  ["UDP://web:65535", "udp", "web", 65535],
  [":4040", "tcp", "localhost", 4040],
  ["udp://:4040", "udp", "localhost", 4040],
  ["[::1]:4040", "tcp", "::1", 4040],
  ["udp://[2001:DB8:0::7]:53/open", "udp", "2001:db8::7", 53, "open"],
  ["[fe80::1%eth0]:4040", "tcp", "fe80::1%eth0", 4040],
  ["10.0.0.7:4040/message", "tcp", "10.0.0.7", 4040, "message"],
  ["web-1.example.org.:4040/lab", "tcp", "web-1.example.org.", 4040, "lab"],
  ["_http._tcp.example:80", "tcp", "_http._tcp.example", 80],
  ["münchen.example:80", "tcp", "münchen.example", 80],
  ["10.0.0.7.nip.io:80", "tcp", "10.0.0.7.nip.io", 80],
  ["localhost:0080", "tcp", "localhost", 80],
];

Deno.test("a target is parsed into protocol, host, port and service", () => {
  for (const [text, protocol, host, port, service] of targets) {
    const expected: Target = { text, protocol, host, port, service };
    assertEquals(parseTarget(text, { services }), expected);
  }
});

testWith(
  [unix],
  "a Unix socket is named by its path, with or without the slashes of a URL",
  () => {
    for (const [text, path] of [["unix:a b", "a b"], ["unix:/run/x", "/run/x"]]) {
      assertEquals(parseTarget(text ?? ""), { text, protocol: "unix", path } as Target);
    }
    assertEquals(parseTarget("unix:///run/x").protocol, "unix");
    assertEquals((parseTarget("unix:///run/x") as { path: string }).path, "/run/x");
  },
);

/** Invalid targets, with what the message says and what the hint shows. */
const mistakes: readonly (readonly [text: string, why: string, hint: string])[] = [
  ["localhost", "it has no port", "localhost:4040"],
  ["udp://web", "it has no port", "udp://web:4040"],
  ["web/calc", "it has no port", "web:4040"],
  ["10.0.0.7", "it has no port", "10.0.0.7:4040"],
  ["4040", "it has no host", ": :4040"],
  ["udp://4040", "it has no host", "udp://:4040"],
  ["", "no host and no port", "localhost:4040"],
  ["tcp://", "no host and no port", ":4040"],
  ["::1", "it has no port", "[::1]:4040"],
  ["[::1]", "it has no port", "[::1]:4040"],
  ["2001:db8::7:4040", "it has no port", "[2001:db8::7]:4040"],
  ["fe80::1%eth0:4040", "it has no port", "[fe80::1%eth0]:4040"],
  ["web:80,[::1]:81", "it is more than one", "web:80 [::1]:81"],
  ["udp://web:80,db:81", "it is more than one", "udp://web:80 udp://db:81"],
  ["a:b:80", "neither a host name nor an address", "[::1]:80"],
  ["[::g]:80", "'::g' is not an IPv6 address", "[::1]:80"],
  ["[10.0.0.7]:80", "'10.0.0.7' is not an IPv6 address", "[::1]:80"],
  ["[]:80", "'' is not an IPv6 address", "[::1]:80"],
  ["10.0.0.256:80", "'10.0.0.256' is not an IPv4 address", "10.0.0.7:80"],
  ["10.1:80", "'10.1' is not an IPv4 address", "10.0.0.7:80"],
  ["0x7f000001:80", "is not an IPv4 address", "10.0.0.7:80"],
  ["12:30", "'12' is not an IPv4 address", "10.0.0.7:30"],
  ["web:0", "from 1 to 65535: received '0'", "web:4040"],
  ["web:65536", "from 1 to 65535: received '65536'", "web:4040"],
  ["web:", "from 1 to 65535: received none", "web:4040"],
  ["web:http", "from 1 to 65535: received 'http'", "web:4040"],
  ["web:4e1", "received '4e1'", "web:4040"],
  ["web:-1", "received '-1'", "web:4040"],
  [":", "received none", "localhost:4040"],
  ["http://web:8080/x?y", "http:// is for check alone", "web:8080,"],
  ["https://web", "https:// is for check alone", "web:443,"],
  ["redis://u:p@web/0", "redis:// is neither", "web:6379,"],
  ["tcp:web:80", "'tcp:' is not a protocol prefix", "tcp://web:80"],
  ["UDP4:web:80", "is not a protocol prefix", "udp://web:80"],
  ["me:pw@web:80", "a target has no user name", "everything before the @: web:80"],
  ["me@web:80", "'me@web' is not a host name", "web:80"],
  ["we b:80", "'we b' is not a host name", "localhost:80"],
  ["web;80", "'web;80' is not a host name", "localhost:4040"],
  ["web.80", "'web.80' is not an IPv4 address", "10.0.0.7:4040"],
  ["web:80/", "'/' is not a service", "/calc, /message"],
  ["web:80/cal", "'/cal' is not a service", "did you mean calc?"],
  ["web:80/calc/x", "'/calc/x' is not a service", "/open"],
  ["unix:", "it has no path", "unix:/tmp/netdemo.sock"],
  ["unix://x", "it is not a path", "unix:/tmp/netdemo.sock"],
];

Deno.test("an invalid target is a usage error that shows the right form", () => {
  for (const [text, why, hint] of mistakes) {
    if (text.startsWith("unix:") && Deno.build.os === "windows") continue;
    const failure = assertThrows(() => parseTarget(text, { services }), Failure, undefined, text);
    assertEquals(failure.kind, "USAGE");
    assertStringIncludes(failure.message, `'${text}' is not a target: `);
    assertStringIncludes(failure.message, why);
    assertStringIncludes(failure.hint ?? "", hint, text);
  }
});

Deno.test("the target in a hint is itself valid", () => {
  for (const [text] of mistakes) {
    const { hint = "" } = assertThrows(() => parseTarget(text, { services }), Failure);
    const [shown] = /\S*:\d+(?=,|$)/.exec(hint) ?? [];
    if (shown !== undefined) parseTarget(shown);
  }
});

Deno.test("nothing may follow the port if no service is expected", () => {
  const failure = assertThrows(() => parseTarget("web:80/calc"), Failure, "nothing may follow");
  assertEquals(failure.hint, "leave it out: web:80");
});

Deno.test("a client's first word is a target only if its host is one", () => {
  const yes = ["localhost:4040", ":4040", "10.0.0.7:40", "[::1]:40", "udp://x:1", "unix:/x"];
  const no = [
    "12:30",
    "10.0.0:40",
    "10",
    "Hello",
    "note: 5",
    "a:b",
    "localhost:",
    "http://x:80",
    "unix:",
    "::1",
    "a b:40",
    "localhost:4040/calc",
    "",
  ];
  assertEquals(yes.filter((word) => !looksLikeTarget(word)), []);
  assertEquals(no.filter(looksLikeTarget), []);
});

Deno.test("a client takes its server as its first word or by flags, but not both", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const ways = [
    [`localhost:${port}`],
    [`:${port}`],
    [`127.0.0.1:${port}`],
    [`tcp://localhost:${port}`],
    ["--timeout", "5s", `:${port}`],
    ["-p", `${port}`],
    [`-p${port}`],
    ["--host", "localhost", `--port=${port}`],
  ];
  for (const way of ways) {
    const { code, stdout } = await netdemoInProcess(["calc-client", ...way, "10", "20", "+"]);
    assertEquals({ code, stdout }, { code: 0, stdout: "Sum of 10 and 20 is 30\n" }, way.join(" "));
  }
  const both = [["--port", "1"], ["-p", "1"], ["--host", "x"], ["--unix", "x"]];
  for (const flags of [...both, ["-u"]]) {
    const target = flags[0] === "-u" ? `tcp://:${port}` : `:${port}`;
    const { code, stderr } = await netdemoInProcess(["calc-client", target, ...flags, "1 2 +"]);
    assertEquals(code, 2);
    assertMatch(stderr, /^netdemo: USAGE: '\S+' and --\w+ both say where the server is\nhint: /);
  }
});

Deno.test("only the first word is a target, and everything after -- is text", async () => {
  const { process, port } = await startServer(["message-server"]);
  await using _process = process;
  const send = (...words: string[]) => netdemoInProcess(["message-client", ...words]);
  await send(`:${port}`, "web:80");
  await process.printed(/\nweb:80\n/);
  await send("-p", `${port}`, "12:30");
  await process.printed(/\n12:30\n/);
  await send("-p", `${port}`, "--", "web:80", "and", "-x");
  await process.printed(/\nweb:80 and -x\n/);
  const unknown = await send("note.invalid:5");
  assertMatch(
    unknown.stderr,
    /DNS: .*\nhint: .*; if 'note\.invalid:5' is the message, put -- before it\n/,
  );
  const { code, stderr } = await send("note:99999");
  assertEquals(code, 2);
  assertMatch(stderr, /'note:99999' is not a target: a port is a whole number from 1 to 65535/);
});

Deno.test("with --json wrong usage is a failure event too", async () => {
  for (const args of [["clac-server"], ["calc-server", "4040"], ["calc-client", "--prot"]]) {
    const { code, stdout, stderr } = await netdemoInProcess([...args, "--json"]);
    const { event, failure, exitCode, message, hint } = JSON.parse(stdout);
    assertEquals([code, event, failure, exitCode], [2, "failure", "USAGE", 2]);
    assertEquals(stderr, `netdemo: USAGE: ${message}\nhint: ${hint}\n`);
  }
});
