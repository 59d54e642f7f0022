import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  linux,
  netdemoCommand,
  netdemoInProcess,
  Process,
  root,
  signalTest,
  silence,
  TestConnection,
  TestSocket,
  testWith,
  tool,
} from "./harness/mod.ts";

/** Services in one process, with their ports. */
async function startServe(
  names: readonly string[],
  flags: readonly string[] = [],
): Promise<{ process: Process; ports: Map<string, number> }> {
  const words = names.map((name) => `${name}:0`);
  const process = new Process([...netdemoCommand, "serve", ...words, ...flags]);
  const ports = new Map<string, number>();
  const json = flags.includes("--json");
  for (const name of names) {
    const line = json
      ? new RegExp(`"event":"listening","time":"[^"]+","service":"${name}",.*"port":(\\d+)`)
      : new RegExp(`^${name}: Listening on \\S+?:(\\d+) and \\S+ \\(tcp, udp\\)$`, "m");
    const [, port] = await process.printed(line);
    ports.set(name, Number(port));
  }
  return { process, ports };
}

async function askUdp(request: string, port: number, hostname = "127.0.0.1"): Promise<string> {
  using socket = new TestSocket(hostname);
  return await socket.ask(port, request);
}

async function askTcp(request: string, port: number, hostname = "127.0.0.1"): Promise<string> {
  using connection = await TestConnection.open(port, hostname);
  await connection.send(request);
  return await connection.receive();
}

signalTest("serve answers over TCP and UDP, on both families, on one port each", async () => {
  const { process, ports } = await startServe(["hello", "message", "calc"]);
  await using _process = process;
  const port = (name: string): number => ports.get(name) ?? 0;
  assertEquals(new Set(ports.values()).size, 3);
  for (const hostname of ["127.0.0.1", "::1"]) {
    assertEquals(await askTcp("10 20 +\n", port("calc"), hostname), "Sum of 10 and 20 is 30\n");
    assertEquals(await askUdp("10 20 +\n", port("calc"), hostname), "Sum of 10 and 20 is 30\n");
    assertEquals(await askTcp("Good morning", port("message"), hostname), "Thanks...");
    assertEquals(await askUdp("Good day", port("message"), hostname), "Thanks...");
    assertEquals(await askTcp("", port("hello"), hostname), "");
    assertEquals(await askUdp("Hello", port("hello"), hostname), "Hello");
  }
  const { code, stdout, stderr } = await process.stop("SIGTERM");
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n").slice(3, -1).toSorted();
  assertEquals(
    lines.filter((line) => line.startsWith("hello: Connection is established")).length,
    2,
  );
  assertEquals(lines.filter((line) => line.startsWith("hello: Datagram received from ")).length, 2);
  assertEquals(lines.filter((line) => line === "message: Good morning").length, 2);
  assertEquals(lines.filter((line) => line === "message: Good day").length, 2);
  assertEquals(lines.filter((line) => line.startsWith("calc")), []);
});

signalTest("one SIGTERM stops all services, and each answers the requests received", async () => {
  const { process, ports } = await startServe(["hello", "message", "calc"], ["--grace", "5s"]);
  await using _process = process;
  using idle = await TestConnection.open(ports.get("message") ?? 0);
  await idle.send("Hello\n");
  assertEquals(await idle.receive(), "Thanks...\n");
  using message = await TestConnection.open(ports.get("message") ?? 0);
  using calc = await TestConnection.open(ports.get("calc") ?? 0);
  await message.send("Hello\n".repeat(1_000));
  await calc.send("10 20 +\n".repeat(1_000));
  process.kill("SIGTERM");
  assertEquals(await calc.receiveAll(), "Sum of 10 and 20 is 30\n".repeat(1_000));
  assertEquals(await message.receiveAll(), "Thanks...\n".repeat(1_000));
  assertEquals(await idle.receiveAll(), "");
  assertEquals((await process.ended()).code, 0);
});

signalTest("a SIGTERM ends conversations on every service, misbehaving ones included", async () => {
  const names = ["hello", "message", "calc", "lab"];
  const { process, ports } = await startServe(names, ["--grace", "30s"]);
  await using _process = process;
  using connections = new DisposableStack();
  const talk = async (name: string, request: string, reply: string): Promise<TestConnection> => {
    const connection = connections.use(await TestConnection.open(ports.get(name) ?? 0));
    await connection.send(request);
    if (reply !== "") assertEquals(await connection.receive(), reply);
    return connection;
  };
  const idle = [
    await talk("hello", "", ""),
    await talk("message", "Hello\n", "Thanks...\n"),
    await talk("calc", "1 2 +\n", "Sum of 1 and 2 is 3\n"),
    await talk("lab", "echo Hi\n", "Hi\n"),
    await talk("lab", "echo Hi\nsilence\n", "Hi\n"),
    await talk("lab", "end\n", ""),
  ];
  const late = await talk("lab", "delay 700ms later\n", "");
  const slow = await talk("lab", "slowly slow\n", "");
  process.kill("SIGTERM");
  for (const connection of idle) assertEquals(await connection.receiveAll(), "");
  assertEquals(await slow.receiveAll(), "slow\n");
  assertEquals(await late.receiveAll(), "later\n");
  assertEquals((await process.ended()).code, 0);
});

signalTest(
  "the port file has a line for each service, from when all listen until the end",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/ports.txt`;
      const { process, ports } = await startServe(["calc", "hello"], ["--port-file", path]);
      await using _process = process;
      assertEquals(
        await Deno.readTextFile(path),
        `calc ${ports.get("calc")}\nhello ${ports.get("hello")}\n`,
      );
      await process.stop("SIGINT");
      assertEquals([...Deno.readDirSync(folder)], []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

signalTest(
  "with --json each event names its service; each listens once and stops once",
  async () => {
    const { process, ports } = await startServe(["calc", "message"], ["--json"]);
    await using _process = process;
    await askTcp("10 20 +\n", ports.get("calc") ?? 0);
    await askUdp("6 7 *\n", ports.get("calc") ?? 0);
    await process.printed(/"event":"closed"/);
    const { stdout } = await process.stop("SIGTERM");
    const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const named = (event: string) => events.filter((each) => each.event === event);
    assertEquals(named("listening").map(({ service }) => service), ["calc", "message"]);
    assertEquals(named("listening")[0].protocols, ["tcp", "udp"]);
    assertEquals(
      named("request").map(({ service, request, connection, datagram }) =>
        [service, request, connection, datagram] as unknown[]
      ),
      [["calc", "10 20 +", 1, undefined], ["calc", "6 7 *", undefined, 1]],
    );
    assertEquals(
      named("stopped").map(({ service, reason, requests }) => [service, reason, requests]),
      [["calc", "SIGTERM", 2], ["message", "SIGTERM", 0]],
    );
  },
);

signalTest("limits apply to each service separately", async () => {
  const { process, ports } = await startServe(["calc", "message"], ["--max-connections", "1"]);
  await using _process = process;
  using calc = await TestConnection.open(ports.get("calc") ?? 0);
  using message = await TestConnection.open(ports.get("message") ?? 0);
  await calc.send("10 20 +\n");
  await message.send("Hello\n");
  assertEquals(await calc.receive(), "Sum of 10 and 20 is 30\n");
  assertEquals(await message.receive(), "Thanks...\n");
  using second = await TestConnection.open(ports.get("calc") ?? 0);
  assertEquals(await second.receiveAll(), "Error: server is full\n");
});

signalTest("a second signal ends all services at once", async () => {
  const { process, ports } = await startServe(["calc", "message"], ["--grace", "60s"]);
  await using _process = process;
  using connection = await TestConnection.open(ports.get("calc") ?? 0);
  await connection.send("10 20 +\n10 2");
  assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
  process.kill("SIGINT");
  await silence(100); // sooner would count as the same Ctrl-C, forwarded by a launcher
  assertEquals((await process.stop("SIGINT")).code, 130);
});

/** A UDP socket, with its port, which is free for TCP. */
function udpPort(): { port: number; taken: Deno.DatagramConn } {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  return {
    port,
    taken: Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }),
  };
}

Deno.test("if one service can't listen, none does, and the failure names it", async () => {
  const { port, taken } = udpPort();
  try {
    const words = ["hello:0", `calc:${port}`];
    const { code, stdout, stderr } = await netdemoInProcess(["serve", ...words]);
    assertEquals([code, stdout], [15, ""]);
    const [message, hint = ""] = stderr.split("\n");
    const what = `calc over UDP cannot listen on 127.0.0.1:${port}: the port is in use`;
    assertEquals(message, `netdemo: BIND: ${what}`);
    assertMatch(hint, /^hint: stop the program listening there, .*; calc:0 takes a free one$/);
  } finally {
    taken.close();
  }
});

testWith(
  [linux, root, tool("unshare")],
  "port 0 takes a port that is free for both protocols and both families",
  async () => {
    // Of three ports, one is in use for TCP on IPv6 and one for UDP on IPv4.
    const script = `
      ip link set lo up
      echo "40001 40003" > /proc/sys/net/ipv4/ip_local_port_range
      socat tcp6-listen:40001,bind=[::1],fork - > /dev/null 2>&1 &
      socat udp4-recvfrom:40003,bind=127.0.0.1,fork - > /dev/null 2>&1 &
      while [ $(ss -Hltun | grep -c ':4000[13] ') != 2 ]; do sleep 0.02; done
      exec "$@" serve calc:0 --max-time 500ms`;
    await using process = new Process([
      // When the first program of a PID namespace ends, all others end too.
      ...["unshare", "-n", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh"],
      ...netdemoCommand,
    ]);
    const { stdout } = await process.ended();
    assertEquals(stdout, "calc: Listening on 127.0.0.1:40002 and [::1]:40002 (tcp, udp)\n");
  },
);

/** Wrong command lines, with what the message and the hint must say. */
const wrong: readonly (readonly [args: string, message: string, hint: RegExp])[] = [
  ["4040", "'4040' is not a service", /calc:4040/],
  ["calk", "'calk' is not a service", /did you mean calc\?/],
  ["calc-server", "'calc-server' is not a service", /did you mean calc\?/],
  ["localhost:4040", "'localhost:4040' is not a service", /hello, message, calc/],
  ["calc calc:5000", "calc is named twice", /another netdemo .*: netdemo serve calc:5000$/],
  ["calc:5000 message:5000", "calc and message can't both have port 5000", /message:0/],
  ["calc:", "the port of calc must be a whole number from 0 to 65535: received ''", /help serve/],
  ["calc:65536", "the port of calc must be a whole number from 0 to 65535", /help serve/],
  ["calc:http", "the port of calc must be a whole number", /help serve/],
  ["--port 4040", "serve takes no --port", /netdemo serve calc:4040/],
  ["-p 4040", "serve takes no -p", /netdemo serve calc:4040/],
  ["calc --udp", "serve takes no --udp", /TCP and UDP/],
  ["--once", "serve takes no --once", /calc-server --once/],
  ["--unix=/tmp/x", "serve takes no --unix", /calc-server --unix/],
  ["--reuse-port", "serve takes no --reuse-port", /UDP/],
  ["calc --reply Hi", "--reply is for message, which is not among the services", /help serve/],
  ["--hots ::1", "unknown flag --hots", /--host\?/],
];

Deno.test("a wrong command line of serve starts nothing and shows the right form", async () => {
  for (const [args, message, hint] of wrong) {
    const { code, stdout, stderr } = await netdemoInProcess(["serve", ...args.split(" ")]);
    assertEquals([code, stdout], [2, ""], args);
    assertStringIncludes(stderr, `netdemo: USAGE: ${message}`);
    assertMatch(stderr, new RegExp(`^hint: .*${hint.source}`, "m"));
  }
});

Deno.test("without arguments serve runs every service on the ports in its help", async () => {
  const { stdout } = await netdemoInProcess(["serve", "--help"]);
  const { lesson } = await import("../main.ts");
  for (const { name, servePort } of lesson) {
    assertMatch(stdout, new RegExp(`\\b${name}\\s+${servePort}\\b`));
    assert(servePort >= 1_024);
  }
  assertEquals(new Set(lesson.map(({ servePort }) => servePort)).size, lesson.length);
});

signalTest("serve plays a conversation file, beside a service", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/exercise.talk`;
  await Deno.writeTextFile(path, "< Connected\\n\n> {a} + {b}\\n\n< Result: {a + b}\\n\n");
  const process = new Process([...netdemoCommand, "serve", `${path}:0`, "calc:0"]);
  await using _process = process;
  const [, port] = await process.printed(
    /^exercise\.talk: Listening on \S+?:(\d+) and \S+ \(tcp\)$/m,
  );
  const [, calc] = await process.printed(/^calc: Listening on \S+?:(\d+) and \S+ \(tcp, udp\)$/m);
  using connection = await TestConnection.open(Number(port));
  assertEquals(await connection.receive(), "Connected\n");
  await connection.send("3 + 4\n");
  assertEquals(await connection.receive(), "Result: 7\n");
  assertEquals(await askTcp("10 20 +\n", Number(calc)), "Sum of 10 and 20 is 30\n");
  await connection.send("what?\n");
  await process.reported(
    /no answer to a request from \S+: no line of the conversation fits what\?\\n/,
  );
  const { code } = await process.stop("SIGTERM");
  assertEquals(code, 0);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a conversation file needs a port, and is read before anything starts", async () => {
  const folder = await Deno.makeTempDir();
  const chat = `${folder}/chat.talk`;
  await Deno.writeTextFile(chat, "udp\nann> hi\nbob> ho\nann< ho\n");
  for (
    const [word, message] of [
      ["missing.talk:0", "cannot read the conversation file 'missing.talk'"],
      ["C:\\x.talk", "C:\\\\x.talk has no port"],
      ["C:\\x.talk:70000", "the port of C:"],
      [`${chat}:0`, "chat.talk:2: a server of several clients can't be played over UDP"],
    ] as const
  ) {
    const { code, stderr } = await netdemoInProcess(["serve", "calc:0", word]);
    assertEquals(code, 2);
    assertStringIncludes(stderr.replaceAll("\\", "\\\\"), message);
  }
  await Deno.remove(folder, { recursive: true });
});
