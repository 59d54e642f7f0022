import { assert, assertEquals, assertMatch } from "@std/assert";
import { getAvailablePort } from "@std/net";
import config from "../deno.json" with { type: "json" };
import {
  type Ended,
  linux,
  nameServer,
  type Need,
  netdemoCommand,
  netdemoInProcess,
  Process,
  root,
  run,
  signalTest,
  testWith,
  tool,
} from "./harness/mod.ts";

const commands = [
  "hello-server",
  "hello-client",
  "message-server",
  "message-client",
  "calc-server",
  "calc-client",
];

/** Wrong command lines, with what the message and the hint must say. */
const wrong: { args: string[]; message: string; hint?: RegExp }[] = [
  { args: ["clac-server"], message: "unknown command clac-server", hint: /calc-server\?/ },
  { args: ["calc"], message: "unknown command calc", hint: /did you mean calc-/ },
  { args: ["Hello-Server"], message: "unknown command Hello-Server", hint: /hello-server\?/ },
  { args: ["--help", "xyzzy"], message: "unknown command xyzzy" },
  { args: ["xyzzy"], message: "unknown command xyzzy", hint: /netdemo help/ },
  { args: ["version"], message: "unknown command version", hint: /did you mean --version\?/ },
  { args: ["-v"], message: "unknown flag -v", hint: /--help and --version need none/ },
  { args: ["--verison"], message: "unknown flag --verison", hint: /--version\?/ },
  { args: ["help", "clac-server"], message: "unknown command clac-server", hint: /calc-server\?/ },
  { args: ["help", "calc-server", "x"], message: "help takes one command: received 'x' as well" },
  { args: ["calc-server", "--prot", "40"], message: "unknown flag --prot", hint: /--port\?/ },
  { args: ["calc-server", "-x", "40"], message: "unknown flag -x" },
  { args: ["calc-server", "-p"], message: "--port needs a value: --port N" },
  { args: ["calc-server", "-p40", "--port", "41"], message: "--port is given twice" },
  { args: ["calc-server", "-uj"], message: "unknown flag -uj" },
  { args: ["calc-server", "--reply", "x"], message: "unknown flag --reply" },
  { args: ["calc-client", "--once"], message: "unknown flag --once" },
  { args: ["calc-server", "--port"], message: "--port needs a value: --port N" },
  { args: ["calc-server", "--port", "--once"], message: "--port needs a value: --port N" },
  { args: ["calc-server", "--once=yes"], message: "--once takes no value: received 'yes'" },
  { args: ["calc-server", "--no-once"], message: "unknown flag --no-once" },
  { args: ["calc-server", "--port", "1", "--port", "2"], message: "--port is given twice" },
  { args: ["calc-server", "--host", ""], message: "--host must not be empty" },
  { args: ["calc-server", "x"], message: "calc-server takes no arguments: received 'x'" },
  {
    args: ["calc-server", "--max-connections", "0"],
    message: "--max-connections must be a whole number from 1 to 1000000: received '0'",
  },
  {
    args: ["message-server", "--reply", "a\nb"],
    message: "--reply must be one line that is not empty",
  },
  { args: ["hello-client", "x"], message: "hello-client takes no arguments: received 'x'" },
  { args: ["message-client", ""], message: "a message must not be empty: received ''" },
  {
    args: ["message-client", "a\nb"],
    message: "a message must be one line: received a line break",
  },
  {
    args: ["message-client", "--loud"],
    message: "unknown flag --loud",
    hint: /text that begins with a dash goes after --/,
  },
  { args: ["calc-client", "10", "20"], message: "calc-client takes O1 O2 OP: received 2 words" },
  {
    args: ["calc-client", "6", "7", "a", "b", "c"],
    message: "calc-client takes O1 O2 OP: received 5 words",
    hint: /the shell expands an unquoted \*: netdemo calc-client 6 7 "\*"/,
  },
  ...["-1", "65536", "4e1", "0x28", " 40", "40.0", "", "forty"].map((port) => ({
    args: ["calc-server", `--port=${port}`],
    message: `--port must be a whole number from 0 to 65535: received '${port}'`,
  })),
  ...["0", "65536"].map((port) => ({
    args: ["calc-client", "--port", port, "1", "2", "+"],
    message: `--port must be a whole number from 1 to 65535: received '${port}'`,
  })),
  ...["0", "5x", "-1s", "1e3", "", "s", "99999999h"].map((time) => ({
    args: ["hello-client", `--timeout=${time}`],
    message:
      `--timeout must be a duration over 0 to 24 days, such as 250ms, 5s, 2m or 1h: received '${time}'`,
  })),
];

Deno.test("wrong usage is reported on stderr with exit code 2, and nothing starts", async () => {
  const runs = wrong.map(async ({ args, message, hint = /\S/ }) => {
    const { code, stdout, stderr } = await netdemoInProcess(args);
    const [reported = "", hinted = "", ...rest] = stderr.split("\n");
    assertEquals({ code, stdout, reported }, {
      code: 2,
      stdout: "",
      reported: `netdemo: USAGE: ${message}`,
    });
    assertMatch(hinted, /^hint: /);
    assertMatch(hinted, hint);
    assertEquals(rest, [""]);
  });
  await Promise.all(runs);
});

Deno.test("a file that can't be read or written is named, without the system's number", async () => {
  const folder = await Deno.makeTempDir();
  const missing = `${folder}/nosuch/file`;
  try {
    for (
      const line of [
        "check --targets PATH",
        "check --talk PATH.talk :1",
        "check --ca PATH tls://:1",
        "check --junit PATH :1",
        "serve PATH.talk:4070",
        "demo PATH.talk",
        "calc-server --port 0 --port-file PATH --max-time 5s",
        "relay --port 0 --record PATH localhost:1",
        "grade server --talk PATH.talk -- x",
        "grade calc-server --gradescope PATH -- x",
      ]
    ) {
      for (const path of [missing, folder]) {
        if (path === folder && line.includes(".talk")) continue; // no such file either
        const args = line.split(" ").map((word) => word.replace("PATH", path));
        const { code, stderr } = await netdemoInProcess(args);
        assert(code !== 0, line);
        assertMatch(stderr, /^netdemo: (?:USAGE|ERROR): .*\nhint: .*\n$/, line);
        assert(stderr.includes(path), `${line}: ${stderr}`);
        assert(!/os error|Error:/.test(stderr), `${line}: ${stderr}`);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("netdemo alone shows every command; --version and help work", async () => {
  const { code, stdout, stderr } = await netdemoInProcess([]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  for (const command of [...commands, "address"]) {
    assert(stdout.includes(`\n  ${command} `), command);
  }
  for (const args of [["help"], ["--help"], ["-h"], ["help", "help"]]) {
    assertEquals(await netdemoInProcess(args), { code: 0, stdout, stderr: "" });
  }
  const { code: right, stdout: version } = await netdemoInProcess(["--version"]);
  assertEquals(right, 0);
  assertMatch(
    version,
    new RegExp(`^netdemo ${config.version} \\(Deno \\d+\\.\\d+\\.\\d+, \\w+-.+\\)\n$`),
  );
});

Deno.test("the help of every command lists its flags, defaults and examples in 80 columns", async () => {
  for (const command of commands) {
    const shown = await netdemoInProcess(["help", command]);
    assertEquals({ code: shown.code, stderr: shown.stderr }, { code: 0, stderr: "" });
    assertEquals(await netdemoInProcess([command, "--help"]), shown);
    assertEquals(await netdemoInProcess([command, "x", "-h", "--port", "nonsense"]), shown);
    const common = ["--host NAME", "--port N", "--udp", "--unix PATH", "--json", "--help"];
    const own = command.endsWith("-client") ? ["--timeout D"] : [
      "--once",
      "--max-connections N",
      "--reuse-port",
      "--max-request BYTES",
      "--idle-timeout D",
      "--request-timeout D",
      "--grace D",
      "--max-time D",
      "--port-file PATH",
    ];
    for (const flag of [...common, ...own]) {
      assertMatch(shown.stdout, new RegExp(`\\n {2}(?:-\\w, | {4})${flag} `));
    }
    assertEquals(shown.stdout.includes("--reply TEXT"), command === "message-server");
    const port = command.startsWith("hello") ? 30 : 40;
    assertMatch(shown.stdout, new RegExp(`--port N .*\\(default ${port}\\)`));
    assertMatch(shown.stdout, new RegExp(`Examples:\n  netdemo ${command} `));
    for (const line of shown.stdout.split("\n")) assert(line.length <= 80, line);
  }
});

Deno.test("the help of demo and address lists their flags in 80 columns", async () => {
  const table = {
    address: ["--timeout D", "--json", "--help"],
    demo: ["--udp", "--unix PATH", "--explain", "--json", "--help"],
  };
  for (const [command, flags] of Object.entries(table)) {
    const { code, stdout } = await netdemoInProcess(["help", command]);
    assertEquals(code, 0);
    for (const flag of flags) assert(stdout.includes(`\n  ${flag} `), `${command} ${flag}`);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
  }
});

Deno.test("operands are never taken for flags", async () => {
  await using server = new Process([...netdemoCommand, "calc-server", "--port", "0"]);
  const [, port = ""] = await server.printed(/Listening on \S+:(\d+) and/);
  const table: { words: string[]; answer: string }[] = [
    { words: ["-5", "3", "+"], answer: "Sum of -5 and 3 is -2" },
    { words: ["10", "5", "-"], answer: "Diff of 10 and 5 is 5" },
    { words: ["10 5 -"], answer: "Diff of 10 and 5 is 5" },
    { words: ["007", "-0_3", "*"], answer: "Product of 007 and -0_3 is -21" },
    { words: ["--", "-5", "-3", "-"], answer: "Diff of -5 and -3 is -2" },
    { words: ["-5", "--timeout", "2s", "3", "+"], answer: "Sum of -5 and 3 is -2" },
  ];
  for (const { words, answer } of table) {
    const ended = await netdemoInProcess(["calc-client", "--port", port, ...words]);
    assertEquals(ended, { code: 0, stdout: `${answer}\n`, stderr: "" });
  }
});

Deno.test("everything after -- is the message, unchanged", async () => {
  await using server = new Process([...netdemoCommand, "message-server", "--port", "0"]);
  const [, port = ""] = await server.printed(/Listening on \S+:(\d+) and/);
  await netdemoInProcess(["message-client", "--port", port, "--", "--help", "-x", "007"]);
  await server.printed(/\n--help -x 007\n/);
});

Deno.test("a port in use is BIND and exit code 15", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stdout, stderr } = await netdemoInProcess(["calc-server", "--port", String(port)]);
  listener.close();
  assertEquals({ code, stdout }, { code: 15, stdout: "" });
  assertMatch(
    stderr,
    new RegExp(`^netdemo: BIND: cannot listen on 127.0.0.1:${port}: the port is in use\nhint: `),
  );
});

Deno.test("an address that this host does not have is BIND and exit code 15", async () => {
  // 192.0.2.0/24 is for documentation (RFC 5737), so no host has it.
  const { code, stderr } = await netdemoInProcess([
    "calc-server",
    "--host",
    "192.0.2.1",
    "--port",
    "0",
    "--json",
  ]);
  assertEquals(code, 15);
  assertMatch(
    stderr,
    /^netdemo: BIND: cannot listen on 192\.0\.2\.1:0: this host has no such address\nhint: /,
  );
});

testWith(
  [nameServer],
  "a server's host name that does not resolve is DNS and exit code 10",
  async () => {
    const { code, stderr } = await netdemoInProcess([
      "calc-server",
      "--host",
      "no-such-host.invalid",
    ]);
    assertEquals(code, 10);
    assertMatch(
      stderr,
      /^netdemo: DNS: the host name 'no-such-host\.invalid' does not resolve\nhint: /,
    );
  },
);

/** Takes the privilege to bind ports below 1024 from a program that root starts. */
const drop = ["setpriv", "--bounding-set", "-net_bind_service"];

/** A host where ports below 1024 need a privilege. */
const privilegedPorts: Need = {
  missing: "no port needs privileges here",
  isMet: () => {
    const path = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    return Number(Deno.readTextFileSync(path)) > 40;
  },
};

testWith(
  [linux, privilegedPorts, ...(root.isMet() ? [tool("setpriv")] : [])],
  "port 40 without privileges is BIND, and the hint names a port that works",
  async () => {
    const args = ["calc-server", "--host", "127.0.0.1"];
    assertEquals(await run([...(root.isMet() ? drop : []), ...netdemoCommand, ...args]), {
      code: 15,
      stdout: "",
      stderr: "netdemo: BIND: cannot listen on 127.0.0.1:40: ports below 1024 need privileges\n" +
        "hint: choose a port from 1024 up, for example --port 4040\n",
    });
  },
);

/** Runs a shell line in which "$@" is `netdemo help`. */
function helpIn(line: string): Promise<Ended> {
  return run(["sh", "-c", line, "sh", ...netdemoCommand, "help"]);
}

signalTest("help exits quietly if its reader has gone", async () => {
  const { stderr } = await helpIn('{ "$@"; echo "code $?" >&2; } | true');
  assertEquals(stderr, "code 141\n");
});

testWith([linux], "help fails with a message if its output device is full", async () => {
  const { code, stderr } = await helpIn('"$@" > /dev/full');
  assertEquals(code, 1);
  assertMatch(stderr, /^netdemo: ERROR: cannot write to stdout: no space left on device/);
});

Deno.test("--port 0 takes one port that is free on every address", async () => {
  assert(getAvailablePort() > 0);
  await using server = new Process([...netdemoCommand, "calc-server", "--port", "0"]);
  const [, first, , second] = await server.printed(
    /Listening on 127\.0\.0\.1:(\d+)( and \[::1\]:(\d+))? \(tcp\)\n/,
  );
  if (second !== undefined) assertEquals(first, second);
});
