import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { service as calc } from "../services/calc.ts";
import { DatagramGuard } from "../services/server/datagram_guard.ts";
import { serveUdp } from "../services/server/datagram_server.ts";
import { service as hello } from "../services/hello.ts";
import { service as message } from "../services/message.ts";
import type { Server, ServerEvents } from "../services/server/server.ts";
import {
  linux,
  namespaces,
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  python,
  python3,
  root,
  run,
  startServer,
  TestSocket,
  testWith,
  tool,
  until,
} from "./harness/mod.ts";

const SUM = "Sum of 10 and 20 is 30";
const portOf = (server: Server): number => server.port ?? 0;

Deno.test("a reply has a line end exactly if its datagram has one", async () => {
  await using server = await serveUdp(calc, { port: 0 });
  using socket = new TestSocket();
  assertEquals(await socket.ask(portOf(server), "10 20 +"), SUM);
  assertEquals(await socket.ask(portOf(server), "10 20 +\n"), `${SUM}\n`);
  assertEquals(await socket.ask(portOf(server), "10 20 +\r\n"), `${SUM}\n`);
  assertEquals(await socket.ask(portOf(server), "1 2 +\n3 4 +"), "Error: expected O1 O2 OP");
});

Deno.test("datagrams of every size get an exact reply or a clear error", async () => {
  await using server = await serveUdp(message, { port: 0 });
  await using calculator = await serveUdp(calc, { port: 0 });
  using socket = new TestSocket();
  for (const size of [0, 1, 1_472, 65_507]) {
    assertEquals(await socket.ask(portOf(server), "x".repeat(size)), "Thanks...");
  }
  assertEquals(await socket.ask(portOf(calculator), ""), "Error: expected O1 O2 OP");
  const command = `${"9".repeat(32_000)} ${"9".repeat(32_000)} *`;
  assertEquals(
    await socket.ask(portOf(calculator), command),
    "Error: the reply does not fit in a datagram",
  );
  const invalid = await socket.ask(portOf(calculator), new Uint8Array([0x31, 0xff]));
  assertEquals(invalid, "Error: the request is not UTF-8 text");
});

Deno.test("a datagram longer than --max-request gets an error, and is never truncated", async () => {
  await using server = await serveUdp(message, { port: 0, maxRequest: 10 });
  using socket = new TestSocket();
  for (const end of ["", "\n", "\r\n"]) {
    const kind = end === "" ? "" : "\n";
    assertEquals(await socket.ask(portOf(server), `0123456789${end}`), `Thanks...${kind}`);
  }
  const error = "Error: the request is longer than 10 bytes";
  assertEquals(await socket.ask(portOf(server), "0123456789x"), error);
  assertEquals(await socket.ask(portOf(server), "0123456789".repeat(1_000)), error);
  assert(error.length <= 64);
});

Deno.test("a datagram that looks like the service's own reply is not answered", async () => {
  await using server = await serveUdp(message, { port: 0 });
  using socket = new TestSocket();
  for (const reply of ["Thanks...", "Error: division by zero", "Thanks...\r\n"]) {
    await socket.send(portOf(server), reply);
  }
  // The first answer is to the last datagram; another service's reply is a message.
  assertEquals(await socket.ask(portOf(server), `${SUM}\n`), "Thanks...\n");

  await using calculator = await serveUdp(calc, { port: 0 });
  for (const reply of [SUM, "Error: no", "Div of 1 and 2 is 0.5\n"]) {
    await socket.send(portOf(calculator), reply);
  }
  assertEquals(await socket.ask(portOf(calculator), "Thanks..."), "Error: expected O1 O2 OP");
});

Deno.test("a reply that could be taken for a request is sent to an address at most once a second", async () => {
  const ignored: string[] = [];
  const events: ServerEvents = { ignored: (_, why) => ignored.push(why) };
  await using server = await serveUdp(hello, { port: 0, events });
  using socket = new TestSocket();
  assertEquals(await socket.ask(portOf(server), "Hello"), "Hello");
  await socket.send(portOf(server), "Hello");
  await until(() => ignored.length === 1, "the second gets no answer");
  assertEquals(ignored, ["answered a moment ago"]);
  using other = new TestSocket();
  assertEquals(await other.ask(portOf(server), "Hello"), "Hello");
});

Deno.test("replies that could be taken for requests stop, however slowly two servers exchange them", () => {
  const guard = new DatagramGuard(hello, []);
  const remote = { hostname: "127.0.0.1", port: 4_040 };
  const isSent = (now: number, port = remote.port): boolean =>
    guard.withholds("Hello", 5, 5, { ...remote, port }, now) === undefined;
  let now = 0;
  const sent = Array.from({ length: 100 }, () => isSent(now += 1_500)).filter(Boolean).length;
  assertLess(sent, 20);
  assert(isSent(now, 4_041), "others are answered");
  assert(!isSent(now += 59_000), "it asked less than a minute ago");
  assert(isSent(now += 61_000), "after a minute of silence it is answered again");
});

Deno.test("one host gets a bounded number of bytes, whichever ports it asks from", async () => {
  const long = "x".repeat(60_000);
  const events = { answered: 0, ignored: 0 };
  await using server = await serveUdp({ ...message, reply: () => long, isReply: () => false }, {
    port: 0,
    events: {
      answered: () => events.answered++,
      ignored: () => events.ignored++,
    },
  });
  for (let count = 0; count < 500; count++) {
    using socket = new TestSocket();
    await socket.send(portOf(server), "x");
  }
  await until(() => events.answered + events.ignored === 500, "all have arrived");
  assertLess(events.answered, 10);
});

async function forge(from: number, to: number, text: string): Promise<void> {
  const script = `${import.meta.dirname}/harness/forge.py`;
  await using process = new Process([python(), script, String(from), String(to), text]);
  assertEquals((await process.ended()).stdout, "sent\n");
}

/** A test that sends datagrams from any port, which needs raw sockets. */
function forgeTest(name: string, fn: () => Promise<void>): void {
  testWith([linux, root, python3], name, fn);
}

forgeTest(
  "a datagram from port 0, from below 1024 or from the server itself is not answered",
  async () => {
    const ignored: string[] = [];
    await using server = await serveUdp(calc, {
      port: 0,
      events: { ignored: (_, why) => ignored.push(why) },
    });
    const port = portOf(server);
    for (const source of [0, 1, 53, 1_023, port]) await forge(source, port, "10 20 +");
    await until(() => ignored.length === 5, "all are reported");
    assertEquals(ignored, [...Array(4).fill("from a system port"), "from this server itself"]);
    using socket = new TestSocket();
    assertEquals(await socket.ask(port, "10 20 +"), SUM);
  },
);

forgeTest("two servers pointed at each other fall silent within two exchanges", async () => {
  for (
    const [one, other] of [[hello, hello], [message, message], [calc, calc], [hello, calc], [
      message,
      hello,
    ]]
  ) {
    const outcomes: string[] = [];
    const events: ServerEvents = {
      answered: () => outcomes.push("answered"),
      ignored: () => outcomes.push("ignored"),
    };
    await using first = await serveUdp(one ?? hello, { port: 0, events });
    await using second = await serveUdp(other ?? hello, { port: 0, events });
    await forge(portOf(second), portOf(first), "Hello");
    await until(() => outcomes.at(-1) === "ignored", "one of them stops answering");
    // Once both have answered another client, the rest of the exchange has arrived.
    using socket = new TestSocket();
    await socket.ask(portOf(first), "x");
    await socket.ask(portOf(second), "x");
    assertLess(
      outcomes.filter((what) => what === "answered").length - 2,
      4,
      `${one?.name} ${other?.name}`,
    );
  }
});

Deno.test("only the address asked may reply, and a late reply is not taken for the next", async () => {
  using peer = new TestSocket();
  using stranger = new TestSocket();
  const client = netdemo(["calc-client", "--udp", "--port", String(peer.port)], "1 1 +\n2 2 +\n");
  const buffer = new Uint8Array(1_024);
  const [, first] = await peer.socket.receive(buffer);
  const firstPort = (first as Deno.NetAddr).port;
  await stranger.send(firstPort, "Sum of 1 and 1 is 3\n");
  await peer.send(firstPort, "Sum of 1 and 1 is 2\n");
  const [, second] = await peer.socket.receive(buffer);
  // A second reply to the first request, as if the network had duplicated it.
  await peer.send(firstPort, "Sum of 1 and 1 is 2\n");
  await peer.send((second as Deno.NetAddr).port, "Sum of 2 and 2 is 4\n");
  assertEquals(await client, {
    code: 0,
    stdout: "Sum of 1 and 1 is 2\nSum of 2 and 2 is 4\n",
    stderr: "",
  });
});

Deno.test("no reply in time is TIMEOUT, and the hint says what UDP can't report", async () => {
  using silent = new TestSocket();
  const args = ["hello-client", "--udp", "--port", String(silent.port), "--timeout", "200ms"];
  const { code, stderr } = await netdemoInProcess(args);
  assertEquals(code, 124);
  assertMatch(
    stderr,
    /^netdemo: TIMEOUT: no reply from 127\.0\.0\.1:\d+ \(udp\) within 200ms\nhint: UDP does not report/,
  );
});

Deno.test("a request too long for a datagram is ERROR", async () => {
  using peer = new TestSocket();
  const args = ["calc-client", "--udp", "--port", String(peer.port)];
  const { code, stderr } = await netdemo(args, `${"1".repeat(70_000)} 1 +\n`);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^netdemo: ERROR: cannot send to .*\nhint: a request of at most 65506 bytes fits/,
  );
});

Deno.test("flags that do not apply to a transport are usage errors that say why", async () => {
  const table = [
    ...["--max-connections=5", "--idle-timeout=5", "--request-timeout=5", "--grace=5"].map((
      flag,
    ) => ["--udp", flag]),
    ["--udp", "--reuse-port"],
    ...["--host=::1", "--port=4040", "--udp", "--port-file=x", "--reuse-port"].map((
      flag,
    ) => ["--unix=/tmp/x", flag]),
  ];
  for (const args of table) {
    const { code, stdout, stderr } = await netdemoInProcess(["calc-server", ...args]);
    assertEquals({ code, stdout }, { code: 2, stdout: "" });
    assertMatch(
      stderr,
      /^netdemo: USAGE: --[a-z-]+ (?:makes no sense with --(?:udp|unix): \w|is not available on Windows|works only on Linux).*\nhint: /,
    );
  }
  for (const flag of ["--host=::1", "--port=4040", "--udp"]) {
    assertEquals((await netdemoInProcess(["calc-client", "--unix=/tmp/x", flag, "1 1 +"])).code, 2);
  }
});

testWith(
  [linux],
  "a flood of 200,000 datagrams ends no server, fills no memory, and is counted at the end",
  async () => {
    const { process, port } = await startServer(["message-server", "--udp", "--json"]);
    await using _process = process;
    // The server's output is not read meanwhile, so it must drop lines too.
    process.stallStdout();
    using socket = new TestSocket();
    for (let count = 0; count < 200_000; count++) await socket.send(port, "flood");
    using probe = new TestSocket();
    assertEquals(await probe.askAgain(port, "10 20 +\n"), "Thanks...\n");
    const status = await Deno.readTextFile(`/proc/${process.pid}/status`);
    assertLess(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]), 100_000);
    process.resumeStdout();
    const { code, stdout } = await process.stop();
    assertEquals(code, 0);
    const stopped = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    assertEquals(stopped.event, "stopped");
    assert(stopped.requests > 0 && stopped.droppedLines > 0, JSON.stringify(stopped));
  },
);

testWith(
  [linux, namespaces, python3, tool("ip")],
  "on 0.0.0.0 each address replies for itself, and a missing neighbour delays no answers",
  async () => {
    const script = `
      unshare -n sleep 60 & beside=$!
      trap 'kill $beside' EXIT
      until [ "$(readlink /proc/$beside/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
      ip link set lo up
      ip link add veth0 type veth peer name veth1
      ip link set veth1 netns $beside
      ip addr add 10.9.0.1/24 dev veth0
      ip addr add 10.9.0.7/24 dev veth0
      ip link set veth0 up
      nsenter -t $beside -n ip addr add 10.9.0.2/24 dev veth1
      nsenter -t $beside -n ip link set veth1 up
      folder=$1; shift
      "$@" & server=$!
      python3 "$folder/harness/neighbour.py" sources
      mac=$(ip link show veth0 | sed -n 's/.*ether \\([^ ]*\\).*/\\1/p')
      nsenter -t $beside -n python3 "$folder/harness/neighbour.py" flood "$mac"
      kill $server; wait $server`;
    const args = ["calc-server", "--udp", "--host", "0.0.0.0", "--port", "4040"];
    const command = [
      "sh",
      "-c",
      script,
      "sh",
      import.meta.dirname ?? "",
      ...netdemoCommand,
      ...args,
    ];
    const { stdout, stderr } = await run(["unshare", "-rn", ...command]);
    const [, sources, worst] = /^sources (.*)\nworst (.*)$/m.exec(stdout) ?? [];
    assertEquals(sources, "127.0.0.1 10.9.0.1 10.9.0.7 10.9.0.9", stdout + stderr);
    assertLess(Number(worst), 1.5, stdout);
  },
);
