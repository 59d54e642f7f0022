// deno-lint-ignore-file no-console -- it prints TAP
/**
 * Tests an executable on its own: `task smoke [EXECUTABLE]`, or a command that runs netdemo:
 * `task smoke deno run -A main.ts`. With `--only PATTERN` first, only what matches it.
 *
 * It runs with an empty environment, an empty home, an empty PATH, and from
 * another folder, as on a machine without Deno and Node.
 * The output is TAP version 13 (testanything.org).
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { readName } from "../cli/arguments/flags.ts";
import config from "../deno.json" with { type: "json" };
import { type Ended, Process, type ProcessOptions, run } from "./harness/process.ts";
import { readTaskLine } from "./harness/task_line.ts";

const windows = Deno.build.os === "windows";
// What follows the executable is its own.
const own = Deno.args[0] === "--only" ? 2 : Deno.args[0]?.startsWith("-") ? 1 : 0;
const { flags: { only: pattern = "" } } = readTaskLine({
  usage: "smoke [--only PATTERN] [EXECUTABLE | COMMAND...]",
  flags: { only: { value: "PATTERN", about: "only what matches it", read: readName } },
}, Deno.args.slice(0, own));
const only = new RegExp(pattern);
const words = Deno.args.slice(own);
const given = words[0] ?? `${import.meta.dirname}/../dist/netdemo${windows ? ".exe" : ""}`;
const executable = await Deno.realPath(given).catch(() => {
  console.log(`Bail out! there is no executable ${given}: make it with task compile`);
  Deno.exit(1);
});
/** What is tested: an executable, and what precedes the arguments of netdemo. */
const command = [executable, ...words.slice(1)];
const folder = await Deno.makeTempDir();
await Deno.mkdir(`${folder}/empty`);

/** The least that a program needs. */
const bare: ProcessOptions = {
  cwd: folder,
  clearEnv: true,
  env: {
    HOME: `${folder}/empty`,
    PATH: `${folder}/empty`,
    TMPDIR: `${folder}/empty`,
    // Windows has no sockets without it.
    ...(windows && { SystemRoot: Deno.env.get("SystemRoot") ?? "" }),
    ...(command.length > 1 && { DENO_DIR: `${folder}/cache` }),
  },
};

function netdemo(...args: string[]): Promise<Ended> {
  return run([...command, ...args], bare);
}

/** A server of the executable; it is killed with its scope. */
function start(...args: string[]): Process {
  return new Process([...command, ...args], bare);
}

type Check = readonly [name: string, check: () => Promise<void>];

const talks = [
  { name: "hello", words: [], tcp: "", udp: "Hello\n" },
  { name: "message", words: ["Good", "morning"], tcp: "Thanks...\n", udp: "Thanks...\n" },
  {
    name: "calc",
    words: ["10", "4", "/"],
    tcp: "Div of 10 and 4 is 2.5\n",
    udp: "Div of 10 and 4 is 2.5\n",
  },
] as const;
const transports = ["tcp", "udp", ...(windows ? [] : ["unix"])];

const services: Check[] = talks.flatMap((talk) =>
  transports.map((transport): Check => [
    `${talk.name} over ${transport}`,
    async () => {
      const path = `${folder}/${talk.name}.sock`;
      const flags = transport === "unix" ? ["--unix", path] : ["--port", "0"];
      if (transport === "udp") flags.push("--udp");
      await using server = start(`${talk.name}-server`, ...flags);
      const [, where = ""] = await server.printed(/Listening on (\S+)/);
      if (transport !== "unix") flags[1] = where.split(":").at(-1) ?? "";
      const ended = await netdemo(`${talk.name}-client`, ...flags, ...talk.words);
      const reply = transport === "udp" ? talk.udp : talk.tcp;
      assertEquals(ended, { code: 0, stdout: reply, stderr: "" });
    },
  ])
);

/** Asserts that a request half sent when the signal arrives still gets its answer. */
async function drains(signal: Deno.Signal, ...flags: string[]): Promise<void> {
  await using server = start("calc-server", "--port", "0", ...flags);
  const [, port] = await server.printed(/Listening on 127\.0\.0\.1:(\d+)/);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const buffer = new Uint8Array(100);
  await conn.write(new TextEncoder().encode("1 1 +\n10 20"));
  await conn.read(buffer);
  const stopped = server.stop(signal);
  await conn.write(new TextEncoder().encode(" +\n"));
  const count = await conn.read(buffer);
  assertEquals(
    new TextDecoder().decode(buffer.subarray(0, count ?? 0)),
    "Sum of 10 and 20 is 30\n",
  );
  conn[Symbol.dispose](); // or the server waits a second for the client's end
  assertEquals((await stopped).code, 0);
}

const commands = [
  ...talks.flatMap(({ name }) => [`${name}-server`, `${name}-client`]),
  "check",
  "demo",
  "address",
  "grade",
];

const all: readonly Check[] = [
  ["the version is that of deno.json", async () => {
    const { code, stdout } = await netdemo("--version");
    assertEquals(code, 0);
    assert(stdout.startsWith(`netdemo ${config.version} (Deno `), stdout);
  }],
  ["help lists every command, and every command has its own help", async () => {
    const { stdout } = await netdemo();
    for (const command of commands) {
      assert(stdout.includes(`\n  ${command} `), command);
      assertMatch(
        (await netdemo("help", command)).stdout,
        new RegExp(`^netdemo ${command}: [^]*\nFlags:\n`),
      );
    }
  }],
  ...services,
  ["an address is explained", async () => {
    assertMatch((await netdemo("address", "[::1]:40")).stdout, /::1 +IPv6 +loopback/);
    assertEquals((await netdemo("address")).code, 0);
  }],
  ["check finds a live server, and an expected refusal", async () => {
    await using server = start("calc-server", "--port", "0");
    const [, port] = await server.printed(/Listening on 127\.0\.0\.1:(\d+)/);
    const refused = `refused=127.0.0.1:${getAvailablePort()}`;
    const { code, stdout } = await netdemo("check", `127.0.0.1:${port}`, refused);
    assertEquals(code, 0);
    assertMatch(stdout, /^ok .* ok .*\nok .* refused /);
  }],
  ["the demo draws the conversation", async () => {
    const { code, stdout, stderr } = await netdemo("demo", "calc");
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertMatch(stdout, /send\(8\) +-- "10 20 \+\\n" -+> recv\(8\)/); // ASCII, as no locale is set
  }],
  ["the page is complete, and rejects other host names", async () => {
    await using server = start("calc-server", "--port", "0", "--page");
    const [, port = ""] = await server.printed(/Page at http:\/\/127\.0\.0\.1:(\d+)\//);
    const get = async (path: string, type: string): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      assertEquals(response.headers.get("content-type"), `${type}; charset=utf-8`);
      return await response.text();
    };
    assertMatch(await get("/", "text/html"), /<h1>calc-server<\/h1>[^]*Nobody has connected yet/);
    assertMatch(await get("/page.css", "text/css"), /\.card \{/);
    assertMatch(await get("/page.js", "text/javascript"), /new EventSource\("events"\)/);
    assertMatch(await get("/elements.js", "text/javascript"), /export function rungItem/);
    assertMatch(await get("/icon.svg", "image/svg+xml"), /^<svg /);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
    const buffer = new Uint8Array(100);
    const count = await conn.read(buffer);
    assertMatch(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), /^HTTP\/1\.1 421 /);
  }],
  ["relay passes on what both sides send", async () => {
    await using server = start("calc-server", "--port", "0");
    const [, port] = await server.printed(/Listening on 127\.0\.0\.1:(\d+)/);
    await using relay = start("relay", "--port", "0", `127.0.0.1:${port}`);
    const [, own] = await relay.printed(/Listening on 127\.0\.0\.1:(\d+)/);
    const { code, stdout } = await netdemo("calc-client", `127.0.0.1:${own}`, "10", "20", "+");
    assertEquals({ code, stdout }, { code: 0, stdout: "Sum of 10 and 20 is 30\n" });
  }],
  ["--trace shows the calls", async () => {
    const { code, stderr } = await netdemo(
      "hello-client",
      "--port",
      String(getAvailablePort()),
      "--trace",
    );
    assertEquals(code, 11);
    assertMatch(stderr, /connect\(127\.0\.0\.1:\d+\) +ECONNREFUSED/);
  }],
  ...(windows ? [] : [["grade starts programs without other tools", async () => {
    const itself = [...command, "hello-server", "--port", "{port}"];
    const { code, stdout } = await netdemo("grade", "hello-server", "--", ...itself);
    assertEquals(code, 0, stdout);
    assertMatch(stdout, /^ok +listens .*\nok +prints .*\nlesson 2 of 2 /);
  }]] as const),
  ["a usage error is exit code 2", async () => {
    const { code, stderr } = await netdemo("calc-server", "--prot", "40");
    assertEquals(code, 2);
    assertEquals(stderr, "netdemo: USAGE: unknown flag --prot\nhint: did you mean --port?\n");
  }],
  ["a refused connection is exit code 11", async () => {
    const { code, stderr } = await netdemo("hello-client", "--port", String(getAvailablePort()));
    assertEquals(code, 11);
    assertMatch(stderr, /^netdemo: REFUSED: /);
  }],
  ["a host name that does not resolve is exit code 10", async () => {
    assertEquals((await netdemo("hello-client", "--host", "no-such-host.invalid")).code, 10);
  }],
  ...(windows ? [] : [
    ["SIGTERM drains and exits 0", () => drains("SIGTERM")],
    ["SIGINT drains and exits 0", () => drains("SIGINT")],
  ] as const),
  ["the port file contains the port while the server listens", async () => {
    await using server = start("calc-server", "--port", "0", "--port-file", "port");
    const [, port] = await server.printed(/Listening on 127\.0\.0\.1:(\d+)/);
    assertEquals(await Deno.readTextFile(`${folder}/port`), `${port}\n`);
  }],
  ["it leaves no file behind", () => {
    // Neither a cache in the temporary folder nor anything in the home folder.
    assertEquals([...Deno.readDirSync(`${folder}/empty`)].map(({ name }) => name), []);
    return Promise.resolve();
  }],
];

/** Prints how long the executable takes to start, and its size. */
async function measure(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 20; round++) {
    const start = performance.now();
    await netdemo("--version");
    times.push(performance.now() - start);
  }
  const median = times.sort((one, other) => one - other)[times.length / 2] ?? 0;
  const { size } = await Deno.stat(executable);
  console.log(
    `# start-up: ${median.toFixed(0)} ms, the whole process of netdemo --version, median of 20`,
  );
  console.log(`# size: ${(size / 1e6).toFixed(1)} MB`);
}

const checks = all.filter(([name]) => only.test(name));
let failures = 0;
console.log(`TAP version 13\n1..${checks.length}`);
for (const [index, [name, check]] of checks.entries()) {
  try {
    await check();
    console.log(`ok ${index + 1} - ${name}`);
  } catch (error) {
    failures++;
    const why = error instanceof Error ? error.message : String(error);
    console.log(`not ok ${index + 1} - ${name}\n  ---\n  message: |`);
    console.log(why.replaceAll(/^/gm, "    ") + "\n  ...");
  }
}

if (command.length === 1) await measure();
await Deno.remove(folder, { recursive: true });
if (failures > 0) Deno.exit(1);
