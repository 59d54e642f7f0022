import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { writeAll } from "../sockets/write_all.ts";
import { dialResettable, listenResettable } from "../sockets/node_stream.ts";
import type { Stream } from "../sockets/stream.ts";
import type { InternetEndpoint } from "../protocol/addresses.ts";
import { freePort } from "./harness/free_port.ts";
import {
  backAtBaseline,
  countDescriptors,
  linux,
  manyConnections,
  netdemoCommand,
  netdemoInProcess,
  problemsOfLine,
  Process,
  pythonTest,
  resets,
  signalTest,
  TestConnection,
  testWith,
  unix,
  until,
} from "./harness/mod.ts";
import { startCalc, TestRelay } from "./harness/relay.ts";
import { terminal } from "./harness/terminal.ts";

const here = { hostname: "127.0.0.1", port: 0 };
const lesson = (name: string): string => `${import.meta.dirname}/classic/${name}.py`;

async function send(stream: Stream, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
}

/** The text of one read; `null` at the end. */
async function receive(stream: Stream): Promise<string | null> {
  const buffer = new Uint8Array(65_536);
  const count = await stream.read(buffer);
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}

/** A client and a server with the relay between them. */
class Pair implements AsyncDisposable {
  private constructor(
    readonly relay: TestRelay,
    readonly client: Stream,
    readonly server: Stream,
    readonly close: () => void,
  ) {}

  static async open(): Promise<Pair> {
    const listener = await listenResettable(here);
    const relay = await TestRelay.start({ target: (listener.addr as InternetEndpoint).port });
    const client = await dialResettable({ ...here, port: relay.port });
    return new Pair(relay, client, await listener.accept(), () => listener.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.server.close();
    this.close();
    await this.relay[Symbol.asyncDispose]();
  }
}

Deno.test("a half-close stays a half-close: the other direction still works", async () => {
  await using pair = await Pair.open();
  const { client, server, relay } = pair;
  await send(client, "10 20 +");
  await client.closeWrite();
  assertEquals(await receive(server), "10 20 +");
  assertEquals(await receive(server), null);
  await send(server, "Sum");
  assertEquals(await receive(client), "Sum");
  await server.closeWrite();
  assertEquals(await receive(client), null);
  await relay.until(({ what }) => what === "closed");
  assertEquals(
    relay.story(),
    "connected, client 7, client ended, server 3, server ended, closed",
  );
});

for (const side of ["client", "server"] as const) {
  Deno.test(`a reset by the ${side} is a reset at the other end, after the data before it`, async () => {
    await using pair = await Pair.open();
    const other = side === "client" ? pair.server : pair.client;
    await send(pair[side], "part");
    assertEquals(await receive(other), "part");
    pair[side].reset?.();
    await assertRejects(() => receive(other), Error, "ECONNRESET");
    const closed = await pair.relay.until(({ what }) => what === "closed");
    assertEquals(closed.what === "closed" && closed.reason, "reset");
    assertEquals(pair.relay.story(), `connected, ${side} 4, ${side} reset, closed`);
  });
}

Deno.test("a client of a server that refuses is reset, and a server started later is reached", async () => {
  const port = freePort();
  await using relay = await TestRelay.start({ target: port });
  using refused = await dialResettable({ ...here, port: relay.port });
  await assertRejects(() => receive(refused), Error, "ECONNRESET");
  const event = await relay.until(({ what }) => what === "refused");
  assertEquals(event.what === "refused" && event.why, "ECONNREFUSED");

  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  using client = await TestConnection.open(relay.port);
  using server = await listener.accept();
  await client.send("now");
  const buffer = new Uint8Array(8);
  assertEquals(await server.read(buffer), 3);
});

Deno.test("a side that does not read blocks the other, and loses nothing", async () => {
  await using pair = await Pair.open();
  const block = new Uint8Array(262_144).map((_, index) => index % 251);
  const total = 256 * block.length;
  let sent = 0;
  const sending = (async () => {
    while (sent < total) sent += await pair.client.write(block);
    await pair.client.closeWrite();
  })();
  // Waits until writing stops: the kernel and the relay accept only as much as they buffer.
  let before = -1;
  let still = 0;
  await until(() => {
    still = sent === before ? still + 1 : 0;
    before = sent;
    return still > 20;
  }, "the client is blocked");
  assert(sent < total / 2, `${sent} bytes were accepted but never read`);
  const buffer = new Uint8Array(300_000);
  let received = 0;
  for (let count = await pair.server.read(buffer); count !== null;) {
    assertEquals(buffer[0], received % block.length % 251);
    assertEquals(buffer[count - 1], (received + count - 1) % block.length % 251);
    received += count;
    count = await pair.server.read(buffer);
  }
  await sending;
  assertEquals(received, total);
});

testWith(
  [manyConnections],
  "1,000 concurrent connections each get their own answers, and leave nothing open",
  async () => {
    await using server = await startCalc();
    const before = countDescriptors();
    {
      await using relay = await TestRelay.start({ target: server.port, watched: false });
      const clients: TestConnection[] = [];
      try {
        for (let count = 0; count < 1_000; count++) {
          clients.push(await TestConnection.open(relay.port));
        }
        await Promise.all(clients.map((client, index) => client.send(`${index} 1 +\n`)));
        for (const [index, client] of clients.entries()) {
          assertEquals(await client.receive(), `Sum of ${index} and 1 is ${index + 1}\n`);
        }
      } finally {
        for (const client of clients) client[Symbol.dispose]();
      }
    }
    await backAtBaseline(before);
  },
);

Deno.test("clients that vanish in every way leave nothing open", async () => {
  await using server = await startCalc();
  await using relay = await TestRelay.start({ target: server.port });
  const before = countDescriptors();
  const ways: ((client: Stream) => unknown)[] = [
    (client) => client.close(),
    (client) => client.reset?.(),
    async (client) => {
      await send(client, "10 20 +\n".repeat(10_000)); // never reads
      client.reset?.();
    },
    async (client) => {
      await send(client, "10 20");
      client.close();
    },
  ];
  for (let count = 0; count < 60; count++) {
    using client = await dialResettable({ ...here, port: relay.port });
    await ways[count % ways.length]?.(client);
  }
  await until(
    () => relay.events.filter(({ what }) => what === "closed").length >= 59,
    "all connections closed",
  );
  await backAtBaseline(before);
});

Deno.test("a relay over its limit resets the client and reports it, then accepts others", async () => {
  await using server = await startCalc();
  await using relay = await TestRelay.start({ target: server.port, maxConnections: 1 });
  {
    using first = await TestConnection.open(relay.port);
    await first.send("1 2 +\n");
    assertEquals(await first.receive(), "Sum of 1 and 2 is 3\n");
    await assertRejects(
      async () => {
        using second = await dialResettable({ ...here, port: relay.port });
        await receive(second);
      },
      Error,
      "ECONNRESET",
    );
    assertEquals(relay.notices.map(({ what }) => what), ["full"]);
  }
  await relay.until(({ what }) => what === "closed");
  using third = await TestConnection.open(relay.port);
  await third.send("1 2 +\n");
  assertEquals(await third.receive(), "Sum of 1 and 2 is 3\n");
});

testWith([linux], "64 bulk streams at once fit in 128 MiB", async () => {
  const listener = Deno.listen(here);
  using _listener = listener;
  await using relay = new Process([
    ...[...netdemoCommand, "relay", "--host", "127.0.0.1", "--port", "0", "--quiet"],
    `127.0.0.1:${listener.addr.port}`,
  ]);
  const [, port] = await relay.printed(/Listening on 127\.0\.0\.1:(\d+) /);
  const [block, total] = [new Uint8Array(262_144), 8 * 1_048_576];
  const pairs: { readonly client: Deno.TcpConn; readonly server: Deno.TcpConn }[] = [];
  while (pairs.length < 64) {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    pairs.push({ client, server: await listener.accept() });
  }
  const received = await Promise.all(pairs.map(async (pair) => {
    using client = pair.client;
    using server = pair.server;
    const buffer = new Uint8Array(262_144);
    const reading = (async () => {
      let count = 0;
      while (count < total) count += await server.read(buffer) ?? Infinity;
      return count;
    })();
    for (let sent = 0; sent < total; sent += block.length) await writeAll(client, block);
    return await reading;
  }));
  assertEquals(new Set(received), new Set([total]));
  const status = await Deno.readTextFile(`/proc/${relay.pid}/status`);
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
  assertLess(Number(kilobytes) / 1_024, 128, "MiB at most");
});

for (const protocol of ["tcp", "udp"] as const) {
  Deno.test(`the relay passes every question of path over ${protocol}, except for expected notes`, async () => {
    const port = freePort();
    await using relay = await TestRelay.start({ target: port, udp: protocol === "udp" });
    const { code, stdout, stderr } = await netdemoInProcess([
      ...[
        "path",
        "--listen",
        `127.0.0.1:${port}`,
        `${protocol}://127.0.0.1:${relay.port}`,
        "--json",
      ],
    ]);
    const answers = stdout.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ event }) => event === "question");
    assertEquals(answers.filter(({ status }) => status === "fail"), [], stderr);
    const notes = answers.filter(({ status }) => status === "note").map(({ id }) => id);
    assertEquals(notes, protocol === "tcp" ? ["address", "nobody"] : ["other-port"]);
    assertEquals(code, 0);
  });
}

pythonTest(
  "the lesson's own programs work through the relay, shown as a ladder at a terminal",
  async (python) => {
    await using server = new Process([python, lesson("calc_server")]);
    const [, target = ""] = await server.printed(/^port (\d+)\n/);
    const folder = await Deno.makeTempDir();
    try {
      const portFile = `${folder}/port`;
      const args = ["relay", "--port", "0", "--host", "127.0.0.1", `127.0.0.1:${target}`];
      const screen = terminal([...args, "--port-file", portFile], ["^C"], {
        prompt: "end of stream", // the lesson's server leaves its side open
        env: { LC_ALL: "C.UTF-8" },
      });
      const port = (): string | undefined => {
        try {
          return Deno.readTextFileSync(portFile).trim();
        } catch {
          return undefined;
        }
      };
      await until(() => port() !== undefined, "the relay listens");
      await using client = new Process([python, lesson("calc_client"), port() ?? "", "10 20 +"]);
      assertEquals((await client.ended()).stdout, "b'Sum of 10 and 20 is 30'\n");
      const shown = (await screen).split("\n").map((line) =>
        line.replace(/ +\d+\.\d ms/, "").replaceAll(/127\.0\.0\.1:\d{5}/g, "127.0.0.1:PPPPP")
          .trimEnd()
      );
      assertEquals(shown.slice(0, 6), [
        "Listening on 127.0.0.1:PPPPP (tcp), passing on to 127.0.0.1:PPPPP",
        "  client 127.0.0.1:PPPPP                               server 127.0.0.1:PPPPP",
        "  connect()     ── handshake ────────────────────────▶",
        '  send(7)       ── "10 20 +" ────────────────────────▶',
        '                ◀── "Sum of 10 and 20 is 30" ───────── send(22)',
        "                ── end of stream ────────────────────▶",
      ]);
      const closed = shown.findLast((line) => line.includes("closed")) ?? "";
      assertMatch(closed, /closed after: 7 bytes from the client, 22 from the server$/);
      assertMatch(shown.at(-2) ?? "", /exit code 0/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testWith(
  [unix, resets],
  "in a pipe each event is a line that names its connection, and Ctrl-C exits with 0",
  async () => {
    await using server = await startCalc();
    await using relay = new Process([
      ...[...netdemoCommand, "relay", "--host", "127.0.0.1", "--port", "0"],
      `127.0.0.1:${server.port}`,
    ]);
    const [, port] = await relay.printed(
      /^Listening on 127\.0\.0\.1:(\d+) \(tcp\), passing on to /,
    );
    const client = await netdemoInProcess(["calc-client", "--port", port ?? "", "10", "20", "+"]);
    assertEquals(client.stdout, "Sum of 10 and 20 is 30\n");
    await relay.printed(/#1 closed after/);
    using open = await dialResettable({ ...here, port: Number(port) });
    await relay.printed(/#2 client \S+ is connected/);
    const { code, stdout, stderr } = await relay.stop("SIGINT");
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    await assertRejects(() => receive(open), Error, "ECONNRESET");
    const lines = stdout.split("\n").filter((line) => line.startsWith("#1"))
      .map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, "A").replace(/[\d.]+ ms/, "0 ms"));
    assertEquals(lines, [
      "#1 client A is connected to server A",
      '#1 client sent 8 bytes: "10 20 +\\n"',
      '#1 server sent 23 bytes: "Sum of 10 and 20 is 30\\n"',
      "#1 client ended its side",
      "#1 server ended its side",
      "#1 closed after 0 ms: 8 bytes from the client, 23 from the server",
    ]);
  },
);

testWith(
  [unix, resets],
  "--json prints documented events, with invalid UTF-8 as base64 and data cut to 4,096 bytes",
  async () => {
    const listener = Deno.listen(here);
    using _listener = listener;
    await using relay = new Process([
      ...[...netdemoCommand, "relay", "--host", "127.0.0.1", "--port", "0", "--json"],
      ...[`127.0.0.1:${listener.addr.port}`, "--fault", "delay=1ms", "--fault", "reset=90000@100"],
    ]);
    const [, port] = await relay.printed(/"port":(\d+)/);
    using client = await TestConnection.open(Number(port));
    using server = await listener.accept();
    await client.send("10 20 +\n");
    await server.read(new Uint8Array(100));
    await server.write(new Uint8Array([0xff, 0x00]));
    assertEquals((await client.receive()).length, 2);
    await client.send("x".repeat(100_000));
    await relay.printed(/"event":"closed"/);
    const { stdout } = await relay.stop("SIGTERM");
    const lines = stdout.trim().split("\n");
    assertEquals(lines.flatMap(problemsOfLine), []);
    const events = lines.map((line) => JSON.parse(line));
    assertEquals(events[2], {
      ...events[2],
      event: "data",
      from: "client",
      data: "10 20 +\n",
      bytes: 8,
    });
    const binary = events.find(({ from, event }) => event === "data" && from === "server");
    assertEquals(binary, { ...binary, base64: "/wA=", bytes: 2 });
    const long = events.find(({ bytes }) => bytes > 4_096);
    assertEquals(long.data.length, 4_096);
    assert(events.some(({ event, fault, from }) => event === "fault" && fault === "delay" && from));
    assert(
      events.some(({ event, fault, from }) => event === "fault" && fault === "reset" && !from),
    );
    assertEquals(events.find(({ event }) => event === "closed").reason, "fault");
    assertEquals(events.at(-1).event, "stopped");
  },
);

signalTest("a reader of stdout that stalls or leaves delays nothing", async () => {
  await using server = await startCalc();
  for (const how of ["stallStdout", "closeStdout"] as const) {
    await using relay = new Process([
      ...[...netdemoCommand, "relay", "--host", "127.0.0.1", "--port", "0"],
      `127.0.0.1:${server.port}`,
    ]);
    const [, port] = await relay.printed(/Listening on 127\.0\.0\.1:(\d+) /);
    await relay[how]();
    using client = await TestConnection.open(Number(port));
    for (let count = 0; count < 20; count++) {
      await client.send("10 20 +\n".repeat(1_000));
      assertEquals((await client.receiveLines(1_000)).length, 1_000);
    }
    const { code, stderr } = await relay.stop("SIGTERM");
    assertEquals(code, 0, stderr);
  }
});

Deno.test("wrong command lines get the line to type", async () => {
  const table: [args: string[], message: RegExp][] = [
    [[], /relay needs a TARGET.*\nhint: for example: netdemo relay --port 4041 localhost:4040/],
    [["localhost:4040"], /relay needs --port N.*\nhint: netdemo relay --port 4041 localhost:4040/],
    [["--port", "4041", "a:1", "b:2"], /relay takes one TARGET: received 'b:2' as well/],
    [["--port", "4041", "unix:/tmp/x"], /not to a Unix socket|not available on Windows/],
    [["--port", "4041", "localhost"], /it has no port/],
    [["--port", "4041", "--udp", "tcp://localhost:1"], /--udp makes no sense with tcp/],
    [
      ["--port", "4041", ":1", "--fault", "dely=1s"],
      /--fault: 'dely=1s' is not a fault\nhint: did you mean delay\?/,
    ],
    // As Toxiproxy and tc call them.
    [
      ["--port", "4041", ":1", "--fault", "latency=100ms"],
      /the fault is delay here, for example --fault delay=100ms/,
    ],
    [
      ["--port", "4041", ":1", "--fault", "loss"],
      /\nhint: .* lose here, for example --fault lose\n/,
    ],
    [
      ["--port", "4041", ":1", "--fault", "delay"],
      /needs a duration.*\nhint: for example --fault delay=100ms/,
    ],
    [["--port", "4041", ":1", "--fault", "delay=fast"], /needs a duration/],
    [["--port", "4041", ":1", "--fault", "throttle=0"], /a whole number of bytes from 1 up/],
    [["--port", "4041", ":1", "--fault", "split=3"], /split takes no argument/],
    [["--port", "4041", ":1", "--fault", "reset=0@101"], /a share from 0 to 100/],
    [["--port", "4041", ":1", "--fault", "reset=0@"], /a share from 0 to 100/],
    [
      ["--port", "4041", ":1", "--fault", "reset=0#0"],
      /takes numbers from 1 up after #.*\nhint: .*#1-2/,
    ],
    [["--port", "4041", ":1", "--fault", "reset=0#5-2"], /takes numbers from 1 up after #/],
    [["--port", "4041", ":1", "--fault", "delay=10ms+-20ms"], /needs a duration/],
    [["--port", "4041", ":1", "--fault", "lose"], /only datagrams can be lost.*add --udp/],
    [["--port", "4041", "udp://:1", "--fault", "close=1"], /UDP has no connection to end/],
    [["--port", "4041", ":1", "--seed", "-1"], /--seed must be a whole number/],
    [
      ["--port", "4041", ":1", "--fualt", "lose"],
      /unknown flag --fualt\nhint: did you mean --fault\?/,
    ],
  ];
  for (const [args, message] of table) {
    const { code, stderr } = await netdemoInProcess(["relay", ...args]);
    assertEquals(code, 2, args.join(" "));
    assertMatch(stderr, message);
  }
  const port = String(freePort());
  const circle = await netdemoInProcess(["relay", "--port", port, `localhost:${port}`]);
  assertEquals(circle.code, 2);
  assertMatch(circle.stderr, /would pass everything on to itself/);
  const unknown = await netdemoInProcess(
    ["relay", "--port", "0", "--host", "no-such-host.invalid", ":1"],
  );
  assertEquals(unknown.code, 10);
  using taken = Deno.listen(here);
  const args = ["relay", "--host", "127.0.0.1", "--port", String(taken.addr.port), "localhost:1"];
  assertEquals((await netdemoInProcess(args)).code, 15);
});
