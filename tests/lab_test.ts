import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { service as lab } from "../services/lab.ts";
import { service as message } from "../services/message.ts";
import { serveUdp } from "../services/server/datagram_server.ts";
import type { Server, ServerEvents, StreamOptions } from "../services/server/server.ts";
import { startServer as start } from "../services/server/start.ts";
import { canReset } from "../sockets/runtime.ts";
import {
  linux,
  memoryOf,
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Network,
  networkNeeds,
  Process,
  resets,
  run,
  silence,
  startServer,
  TestConnection,
  TestSocket,
  testWith,
  tool,
  until,
} from "./harness/mod.ts";

function startLab(options: StreamOptions = {}): Promise<Server> {
  return start(named("west-1"), { protocol: "tcp", port: 0 }, options);
}

function named(name: string): typeof lab {
  return lab.flag?.apply(name) ?? lab;
}

const portOf = (server: Server): number => server.port ?? 0;

/** What each read returns until the end, one character per byte, with the milliseconds before it. */
async function pieces(connection: TestConnection): Promise<{ text: string; after: number }[]> {
  const found: { text: string; after: number }[] = [];
  const buffer = new Uint8Array(65_536);
  let before = performance.now();
  while (true) {
    const count = await connection.conn.read(buffer);
    if (count === null) return found;
    const now = performance.now();
    const text = String.fromCharCode(...buffer.subarray(0, count));
    found.push({ text, after: now - before });
    before = now;
  }
}

/** Sends a request and ends sending; returns the reply, piece by piece. */
async function ask(port: number, request: string): Promise<{ text: string; after: number }[]> {
  using connection = await TestConnection.open(port);
  await connection.send(request);
  await connection.conn.closeWrite();
  return await pieces(connection);
}

const texts = (found: readonly { readonly text: string }[]): string[] =>
  found.map(({ text }) => text);

Deno.test("lab answers over TCP, with the request's line end", async () => {
  await using server = await startLab();
  for (const ending of ["\n", ""]) {
    const reply = async (request: string): Promise<string> => {
      const found = texts(await ask(portOf(server), request + ending)).join("");
      assert(found.endsWith(ending));
      return found.slice(0, found.length - ending.length);
    };
    assertMatch(await reply("help"), /^Requests: help, whoami \[NONCE\], .*, end$/);
    const ends = /west-1 at 127\.0\.0\.1:(\d+), you are 127\.0\.0\.1:\d+$/;
    const [, port] = ends.exec(await reply("whoami")) ?? [];
    assertEquals(Number(port), portOf(server));
    assertMatch(await reply("whoami 7f3"), /^7f3 west-1 at /);
    assertEquals(await reply("echo Good  morning"), "Good  morning");
    assertEquals(await reply("bytes 12"), "012345678901");
    assertEquals((await reply("bytes 1048576")).length, 1_048_576);
    assertEquals(await reply("garbage"), "\xff\xfe\xfd");
    assertEquals(await reply("nonsense"), "Error: unknown request 'nonsense': send help");
  }
});

Deno.test("delay answers after its time, and slowly sends a byte every 50 ms", async () => {
  await using server = await startLab();
  const [late, ...none] = await ask(portOf(server), "delay 150ms Hi\n");
  assertEquals([late?.text, none.length], ["Hi\n", 0]);
  assert((late?.after ?? 0) >= 149, `after ${late?.after} ms`);

  const started = performance.now();
  const bytes = await ask(portOf(server), "slowly Hello\n");
  assertEquals(texts(bytes), ["H", "e", "l", "l", "o", "\n"]);
  assert(performance.now() - started >= 249);
});

Deno.test("split cuts within a character, or in the middle, and pauses", async () => {
  await using server = await startLab();
  for (
    const [request, parts] of [
      ["split Hello!", ["Hel", "lo!\n"]],
      ["split Gr\xc3\xbc\xc3\x9fe", ["Gr\xc3", "\xbc\xc3\x9fe\n"]],
      ["split \xf0\x9f\x90\x9f", ["\xf0", "\x9f\x90\x9f\n"]],
    ] as const
  ) {
    using connection = await TestConnection.open(portOf(server));
    const started = performance.now();
    await connection.send(Uint8Array.from(`${request}\n`, (byte) => byte.charCodeAt(0)));
    await connection.conn.closeWrite();
    assertEquals(texts(await pieces(connection)), [...parts]);
    assert(performance.now() - started >= 99);
  }
});

Deno.test("close ends the stream after the given bytes, even with requests waiting", async () => {
  await using server = await startLab();
  for (const [request, bytes] of [["close", ""], ["close 5", "01234"], ["close 0", ""]]) {
    using connection = await TestConnection.open(portOf(server));
    await connection.send(`${request}\necho never\n`);
    assertEquals(await connection.receiveAll(), bytes);
  }
});

testWith([resets], "reset resets after the given bytes, which arrive", async () => {
  await using server = await startLab();
  for (const [request, bytes] of [["reset", ""], ["reset 5", "01234"]] as const) {
    using connection = await TestConnection.open(portOf(server));
    await connection.send(`${request}\n`);
    const buffer = new Uint8Array(16);
    let text = "";
    await assertRejects(async () => {
      while (true) {
        const count = await connection.conn.read(buffer);
        if (count === null) return; // an ordinary end
        text += new TextDecoder().decode(buffer.subarray(0, count));
      }
    }, Deno.errors.ConnectionReset);
    assertEquals(text, bytes);
  }
});

Deno.test("end shuts down its sending side and keeps reading", async () => {
  const closed: string[] = [];
  await using server = await startLab({ events: { closed: (_, why) => closed.push(why) } });
  using connection = await TestConnection.open(portOf(server));
  await connection.send("end\n");
  assertEquals(await connection.receive(), ""); // the end
  // More than all buffers hold, so the server must be reading.
  for (let sent = 0; sent < 64; sent++) await connection.send(new Uint8Array(262_144));
  assertEquals(closed, []);
  await connection.conn.closeWrite();
  await until(() => closed.length === 1, "the server sees the end");
});

Deno.test("silence answers no further request until the client leaves", async () => {
  const closed: string[] = [];
  await using server = await startLab({ events: { closed: (_, why) => closed.push(why) } });
  using connection = await TestConnection.open(portOf(server));
  await connection.send("echo before\nsilence\necho after\n");
  assertEquals(await connection.receive(), "before\n");
  await connection.send("echo again\n");
  const quiet = silence(300).then(() => "silence");
  const reading = connection.receive();
  assertEquals(await Promise.race([reading, quiet]), "silence");
  assertEquals(closed, []);
  connection[Symbol.dispose]();
  await reading.catch(() => {});
  await until(() => closed.length === 1, "the server sees the end");
});

Deno.test({
  name: "lab answers over a Unix socket, and says that it can't reset",
  ignore: Deno.build.os === "windows",
  async fn() {
    const path = `${Deno.makeTempDirSync()}/lab.sock`;
    await using _server = await start(lab, { protocol: "unix", path }, {});
    using conn = await Deno.connect({ transport: "unix", path });
    const buffer = new Uint8Array(1_024);
    const reply = async (request: string): Promise<string> => {
      await conn.write(new TextEncoder().encode(`${request}\n`));
      return new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
    };
    assertEquals(await reply("whoami 7f3"), `7f3 ${Deno.hostname()} at ${path}, you are unnamed\n`);
    assertEquals(await reply("reset"), "Error: this connection can't be reset\n");
    assertEquals(await reply("echo Hi"), "Hi\n");
  },
});

Deno.test("replies come in the order of the requests, even delayed ones", async () => {
  await using server = await startLab();
  const requests = ["delay 100ms one", "echo two", "slowly three", "bytes 3", "split four"];
  const found = await ask(portOf(server), requests.map((request) => `${request}\n`).join(""));
  assertEquals(texts(found).join(""), "one\ntwo\nthree\n012\nfour\n");
});

Deno.test("lab answers over UDP, with the request's line end", async () => {
  await using server = await serveUdp(named("west-1"), { port: 0 });
  using socket = new TestSocket();
  const port = portOf(server);
  assertMatch(await socket.ask(port, "help\n"), /^Requests: .* late D \[TEXT\]\n$/);
  assertEquals(
    await socket.ask(port, "whoami 7f3"),
    `7f3 west-1 at 127.0.0.1:${port}, you are 127.0.0.1:${socket.port}`,
  );
  for (const text of ["one", "two", "three"]) {
    assertEquals(await socket.ask(port, `echo ${text}\n`), `${text}\n`);
  }
  assertEquals(await socket.ask(port, "bytes 5"), "Error: bytes works over TCP, not over UDP");
  await socket.send(port, "twice Hi\n");
  assertEquals([await socket.receive(), await socket.receive()], ["Hi\n", "Hi\n"]);
  const started = performance.now();
  assertEquals(await socket.ask(port, "late 150ms"), "ok");
  assert(performance.now() - started >= 149);
  await socket.send(port, "silence");
  assertEquals(await socket.ask(port, "echo after"), "after");
});

Deno.test("a request to lab has the same maximum length as any other", async () => {
  await using tcp = await startLab();
  const text = "x".repeat(65_536 - "echo ".length);
  assertEquals(texts(await ask(portOf(tcp), `echo ${text}\n`)).join(""), `${text}\n`);
  for (const request of [`echo ${text}x\n`, "echo ".repeat(100_000), "\xff".repeat(70_000)]) {
    using connection = await TestConnection.open(portOf(tcp));
    // The server may close before all of it is sent.
    await connection.send(request).catch(() => {});
    assertEquals(await connection.receive(), "Error: the request is longer than 65536 bytes\n");
  }

  await using udp = await serveUdp(lab, { port: 0 });
  using socket = new TestSocket();
  const large = "x".repeat(60_000);
  assertEquals(await socket.ask(portOf(udp), `echo ${large}`), large);
  assertEquals(
    await socket.ask(portOf(udp), new Uint8Array([0xff, 0xff])),
    "Error: the request is not UTF-8 text",
  );
});

/** Counts what a server answers and ignores over UDP. */
function counting(): { events: ServerEvents; answered: number; ignored: string[] } {
  const counted = {
    answered: 0,
    ignored: [] as string[],
    events: {
      answered: () => void counted.answered++,
      ignored: (_: unknown, why: string) => void counted.ignored.push(why),
    },
  };
  return counted;
}

Deno.test("late replies are limited in number, and delay no other", async () => {
  const counted = counting();
  await using server = await serveUdp(lab, { port: 0, events: counted.events });
  using socket = new TestSocket();
  const port = portOf(server);
  for (let sent = 1; sent <= 300; sent++) {
    await socket.send(port, "late 60s");
    // Waiting for an immediate answer keeps the others from being lost on the way.
    assertEquals(await socket.ask(port, `echo ${sent}`), String(sent));
  }
  assertEquals(counted.ignored, Array(44).fill("too many delayed replies"));
});

Deno.test("an exchange between two labs dies out", async () => {
  for (const request of ["echo ".repeat(50) + "x", "twice ".repeat(50) + "x", "whoami echo"]) {
    const counted = counting();
    await using server = await serveUdp(lab, { port: 0, events: counted.events });
    using socket = new TestSocket();
    await socket.send(portOf(server), request);
    // Returns every reply, as if another lab were at this port.
    const echoing = (async () => {
      while (true) await socket.send(portOf(server), await socket.receive());
    })().catch(() => {});
    await until(() => counted.ignored.length > 0, "it stops answering");
    await silence(200);
    socket[Symbol.dispose]();
    await echoing;
    assertLess(counted.answered, 8, request.slice(0, 12));
  }
});

Deno.test("an exchange with a message server whose reply is a lab request dies out", async () => {
  const reply = message.flag?.apply("echo echo Hi") ?? message;
  const [one, other] = [counting(), counting()];
  await using first = await serveUdp(lab, { port: 0, events: one.events });
  await using second = await serveUdp(reply, { port: 0, events: other.events });
  using socket = new TestSocket();
  // Relays between the two, as after a forged datagram.
  await socket.send(portOf(second), "Hello");
  let turns = 0;
  const relaying = (async () => {
    for (let to = first;; to = to === first ? second : first) {
      await socket.send(portOf(to), await socket.receive());
      turns++;
    }
  })().catch(() => {});
  await until(() => one.ignored.length + other.ignored.length > 0, "one of them stops answering");
  socket[Symbol.dispose]();
  await relaying;
  assertLess(turns, 8);
});

testWith(networkNeeds, "beyond loopback no reply over UDP is longer than its request", async () => {
  await using network = await Network.create("");
  await using server = network.start("server", [
    ...netdemoCommand,
    ...[
      "lab-server",
      "--udp",
      "--host",
      "10.77.1.2",
      "--port",
      "4050",
      "--name",
      "west-1",
      "--json",
    ],
  ]);
  await server.printed(/"listening"/);
  const client = async (...request: string[]): Promise<string> => {
    const flags = ["--udp", "--host", "10.77.1.2", "--port", "4050", "--timeout", "5s"];
    await using process = network.start("client", [
      ...netdemoCommand,
      ...["lab-client", ...flags, ...request],
    ]);
    return (await process.ended()).stdout;
  };
  // netdemo's own client pads its request for the reply.
  assertMatch(
    await client("whoami", "7f3"),
    /^7f3 west-1 at 10\.77\.1\.2:4050, you are 10\.77\.0\.2:/,
  );
  assertMatch(await client("help"), /^Requests: /);
  assertEquals(await client("twice"), "ok\n");
  assertEquals(await client("late", "10ms"), "ok\n");
  assertEquals(await client("echo", "Hi"), "Hi\n");

  /** Everything received for a datagram within 300 ms. */
  const script = `import socket, sys
for request in sys.argv[1:]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.3)
    s.sendto(request.encode("latin-1"), ("10.77.1.2", 4050))
    got = []
    try:
        while True: got.append(len(s.recv(70000)))
    except TimeoutError: pass
    print(len(request), sum(got), len(got))`;
  const requests = [
    "whoami",
    "help",
    "x",
    "\xff",
    "echo",
    "late",
    "bytes 5",
    "twice too long",
    "twice",
  ];
  await using python = network.start("client", ["python3", "-c", script, ...requests]);
  const lines = (await python.ended()).stdout.trim().split("\n");
  assertEquals(lines.length, requests.length);
  for (const [index, line] of lines.entries()) {
    const [asked = 0, came = 0] = line.split(" ").map(Number);
    assert(came <= asked, `${requests[index]}: ${line}`);
  }
  assertEquals(lines.at(-1), "5 4 2");
});

Deno.test("a lab server reports the name it was given, or its host's", async () => {
  const { process, port } = await startServer(["lab-server", "--name", "west 1"]);
  await using _process = process;
  assertMatch(
    (await netdemo(["lab-client", "--port", String(port), "whoami"])).stdout,
    new RegExp(`^west 1 at 127\\.0\\.0\\.1:${port}, you are 127\\.0\\.0\\.1:\\d+\n$`),
  );
  for (const name of ["", "a\nb", "x".repeat(65), "é".repeat(33), "\x1b[31m"]) {
    const { code, stderr } = await netdemoInProcess(["lab-server", "--name", name]);
    assertEquals(code, 2);
    assertMatch(stderr, /^netdemo: USAGE: --name must be one line of 1 to 64 bytes/);
  }
});

/** How lab-client reports each misbehaviour: the exit code and how the message begins. */
const outcomes: readonly (readonly [request: string, code: number, message: RegExp])[] = [
  ["silence", 124, /^netdemo: TIMEOUT: no reply/],
  ["delay 10s Hi", 124, /^netdemo: TIMEOUT: no reply/],
  ["garbage", 1, /^netdemo: ERROR: the reply .* is not UTF-8 text/],
  ["close", 14, /^netdemo: CLOSED: .* without a reply/],
  ["close 5", 14, /^netdemo: CLOSED: .* before the reply was whole/],
  ["end", 14, /^netdemo: CLOSED: .* without a reply/],
  ["nonsense", 1, /^netdemo: ERROR: /],
  ...canReset
    ? [["reset", 13, /^netdemo: RESET: /], ["reset 5", 13, /^netdemo: RESET: /]] as const
    : [],
];

Deno.test("lab-client reports how each misbehaviour ends, by message and exit code", async () => {
  await using server = await startLab();
  const flags = ["lab-client", "--port", String(portOf(server)), "--timeout", "300ms"];
  for (const [request, code, message] of outcomes) {
    const ended = await netdemoInProcess([...flags, ...request.split(" ")]);
    assertEquals(ended.code, code, request);
    assertMatch(ended.stderr, message);
  }
  for (const request of ["echo Hi", "slowly Hi", "split Grüße", "bytes 1048576"]) {
    const { code, stdout, stderr } = await netdemoInProcess([...flags, ...request.split(" ")]);
    assertEquals([code, stderr], [0, ""], request);
    assert(stdout.length > 2);
  }
});

testWith([tool("nc")], "lab works with nc, by hand", async () => {
  await using server = await startLab();
  const port = String(portOf(server));
  const typed = (line: string, ...flags: string[]): Promise<string> =>
    run(["nc", ...flags, "127.0.0.1", port], { stdin: `${line}\n` }).then(({ stdout }) => stdout);
  assertMatch(await typed("help", "-N"), /^Requests: /);
  assertMatch(await typed("whoami", "-N"), /^west-1 at 127\.0\.0\.1:/);
  assertEquals(await typed("slowly Hi\r", "-N"), "Hi\n");
  assertEquals(await typed("delay 100ms Hi\nbytes 3\nsplit Grüße", "-N"), "Hi\n012\nGrüße\n");
  assertEquals(await typed("close 4"), "0123");
  assertEquals(await typed("hepl", "-N"), "Error: unknown request 'hepl': send help\n");

  await using udp = await serveUdp(named("west-1"), { port: 0 });
  await using nc = new Process(["nc", "-u", "127.0.0.1", String(portOf(udp))], { stdin: "piped" });
  await nc.write("twice Hi\n");
  await nc.printed(/^Hi\nHi\n$/);
  await nc.write("late 100ms\n");
  await nc.printed(/ok\n$/);
});

testWith(
  [linux],
  "lab servers share a port with --reuse-port, and report which one answers",
  async () => {
    const flags = ["lab-server", "--host", "127.0.0.1", "--reuse-port", "--name"];
    const first = await startServer([...flags, "west-1"]);
    await using _first = first.process;
    const second = await startServer([...flags, "west-2"], ["--port", String(first.port)]);
    await using _second = second.process;
    const names = new Set<string>();
    // All 64 connections go to the same process once in 2^63 runs.
    for (let count = 0; count < 64; count++) {
      using connection = await TestConnection.open(first.port);
      await connection.send("whoami\n");
      names.add((await connection.receive()).slice(0, 6));
    }
    assertEquals([...names].sort(), ["west-1", "west-2"]);
  },
);

Deno.test("check asks lab who it is, over TCP and UDP, and detects a server that is no lab", async () => {
  await using tcp = await startLab();
  await using udp = await serveUdp(lab, { port: 0 });
  await using other = await start(message, { protocol: "tcp", port: 0 }, {});
  const targets = [
    `127.0.0.1:${portOf(tcp)}/lab`,
    `udp://127.0.0.1:${portOf(udp)}/lab`,
    `wrong=127.0.0.1:${portOf(other)}/lab`,
  ];
  const { code, stdout } = await netdemoInProcess(["check", ...targets]);
  assertEquals([code, stdout.match(/^ok /gm)?.length], [0, 3], stdout);
});

/** Each misbehaviour at its worst, one per connection. */
const nuisances: readonly string[] = [
  "silence\n".repeat(1_000),
  "delay 60s x\n".repeat(1_000),
  `slowly ${"x".repeat(1_200)}\n`.repeat(50),
  "bytes 1048576\n".repeat(4_000), // 4 GB, if the client read them
  `split ${"é".repeat(30_000)}\n`.repeat(2),
  `echo ${"x".repeat(60_000)}\n`.repeat(8),
  "garbage\n".repeat(10_000),
  "x".repeat(70_000),
  "end\n" + "x".repeat(300_000),
  "nonsense\n".repeat(20_000),
];

testWith(
  [linux],
  "during any misbehaviour others are answered, and memory is bounded",
  async () => {
    const { process, port } = await startServer(["lab-server"]);
    await using _process = process;
    using probe = await TestConnection.open(port);
    const answered = async (): Promise<number> => {
      const started = performance.now();
      await probe.send("echo probe\n");
      assertEquals(await probe.receive(), "probe\n");
      return performance.now() - started;
    };
    for (let count = 0; count < 50; count++) await answered();
    const before = await memoryOf(process.pid);
    using connections = new DisposableStack();
    const sending: Promise<void>[] = [];
    for (const nuisance of nuisances) {
      for (let count = 0; count < 5; count++) {
        const connection = connections.use(await TestConnection.open(port));
        // Never reads the replies: the rest of the send waits until the connection is closed.
        sending.push(connection.send(nuisance).catch(() => {}));
      }
    }
    const waits: number[] = [];
    for (let count = 0; count < 100; count++) {
      waits.push(await answered());
      await silence(10);
    }
    const grown = (await memoryOf(process.pid)) - before;
    connections[Symbol.dispose]();
    await Promise.all(sending);
    // The promise is 100 ms; the rest is slack for a busy machine.
    assertLess(Math.max(...waits), 500);
    assertLess(grown, 120_000, `grown by ${grown} kB`);
    assertEquals((await process.stop()).code, 0);
  },
);
