import { concat } from "@std/bytes/concat";
import fc from "fast-check";
import { assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { conversationFile } from "../commands/relay/record/conversation_file.ts";
import { Recording, type Turn } from "../commands/relay/record/recording.ts";
import type { Side } from "../ladder/rung.ts";
import type { UnnumberedEvent, WireEvent } from "../ladder/wire.ts";
import { bindDatagrams } from "../sockets/listen.ts";
import { Matcher } from "../talk/matcher.ts";
import { parseTalk } from "../talk/parse.ts";
import type { Line, Talk } from "../talk/talk.ts";
import type { Value } from "../talk/value.ts";
import { writeAll } from "../sockets/write_all.ts";
import {
  netdemoCommand,
  netdemoInProcess,
  Process,
  processorTime,
  pythonTest,
  testWith,
  timing,
  until,
} from "./harness/mod.ts";
import { assertProperty } from "./harness/random.ts";
import { startCalc, TestRelay } from "./harness/relay.ts";

const lesson = (name: string): string => `${import.meta.dirname}/classic/${name}.py`;
const encoder = new TextEncoder();

/** An end of a connection that reads by lines or by number of bytes. */
class Peer implements Disposable {
  readonly conn: Deno.TcpConn;
  #held = new Uint8Array();

  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
    conn.setNoDelay();
  }

  async send(data: string | readonly number[]): Promise<void> {
    await writeAll(
      this.conn,
      typeof data === "string" ? encoder.encode(data) : new Uint8Array(data),
    );
  }

  /** A line without its end; `undefined` at the end of the stream. */
  async line(): Promise<string | undefined> {
    while (!this.#held.includes(10)) if (!await this.#more()) return undefined;
    return new TextDecoder().decode(this.#take(this.#held.indexOf(10) + 1)).trimEnd();
  }

  async bytes(count: number): Promise<Uint8Array> {
    while (this.#held.length < count) if (!await this.#more()) break;
    return this.#take(count);
  }

  /** What comes until the end of the stream. */
  async rest(): Promise<Uint8Array> {
    while (await this.#more()) continue;
    return this.#take(this.#held.length);
  }

  [Symbol.dispose](): void {
    this.conn[Symbol.dispose]();
  }

  #take(count: number): Uint8Array {
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(4_096);
    const count = await this.conn.read(buffer);
    this.#held = concat([this.#held, buffer.subarray(0, count ?? 0)]);
    return count !== null;
  }
}

/** Runs a server that handles each connection with a function. */
async function served(
  handle: (client: Peer) => Promise<void>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clients: Promise<void>[] = [];
  const accepting = (async () => {
    for (;;) {
      const client = new Peer(await listener.accept());
      clients.push(handle(client).catch(() => {}).finally(() => client[Symbol.dispose]()));
    }
  })().catch(() => {}); // until the listener is closed
  try {
    await use(listener.addr.port);
  } finally {
    listener.close();
    await accepting;
    await Promise.all(clients);
  }
}

/** Answers line by line, until there is no answer or no line. */
async function eachLine(client: Peer, answer: (line: string) => string | undefined): Promise<void> {
  for (let line = await client.line(); line !== undefined; line = await client.line()) {
    const reply = answer(line);
    if (reply === undefined) return;
    await client.send(reply);
  }
}

async function connected(port: number): Promise<Peer> {
  return new Peer(await Deno.connect({ hostname: "127.0.0.1", port }));
}

/** Records what passes while clients use the server; returns the file's text. */
async function record(
  port: number,
  use: (port: number) => Promise<void>,
  { fresh = false, udp = false } = {},
): Promise<string> {
  const recording = new Recording(udp ? "udp" : "tcp");
  await using relay = await TestRelay.start({ target: port, udp, see: recording.see });
  await use(relay.port);
  const isOver = () =>
    relay.events.filter(({ what }) => what === "closed").length ===
      relay.relay.connections;
  if (!udp) await until(isOver, "all connections are closed");
  return conversationFile(recording.conversations(), { protocol: udp ? "udp" : "tcp", fresh });
}

/** Plays a file's conversations against a server. */
async function replay(text: string, target: string): Promise<void> {
  parseTalk(text);
  const path = await Deno.makeTempFile({ suffix: ".talk" });
  try {
    await Deno.writeTextFile(path, text);
    const { code, stdout, stderr } = await netdemoInProcess(["check", "--talk", path, target]);
    assertEquals(code, 0, `${text}\n${stdout}${stderr}`);
  } finally {
    await Deno.remove(path);
  }
}

interface Program {
  readonly name: string;
  readonly handle: (client: Peer) => Promise<void>;
  /** What its client does, at the port of the relay. */
  readonly use: (client: Peer, port: number) => Promise<void>;
  /** The file that becomes of it, and with `--fresh`. */
  readonly file: string;
  readonly fresh?: string;
}

const programs: readonly Program[] = [
  {
    name: "a calculator that greets first",
    async handle(client) {
      await client.send("Connected\r\n");
      await eachLine(client, (line) => {
        const [a, b] = line.split(" + ").map(Number);
        return b === undefined ? undefined : `Answer = ${(a ?? 0) + b}\n`;
      });
    },
    async use(client) {
      await client.line();
      await client.send("10 + 20\n");
      await client.line();
      await client.send("Over\n");
      await client.rest();
    },
    file: "< Connected\\r\\n\n> 10 + 20\\n\n< Answer = 30\\n\n> Over\\n\n< {end}\n",
    fresh: "< Connected\\r\\n\n> {a} + {b}\\n\n< Answer = {a + b}\\n\n> Over\\n\n< {end}\n",
  },
  {
    name: "JSON, with braces and letters beyond ASCII",
    handle: (client) =>
      eachLine(client, (line) => {
        const { name } = JSON.parse(line);
        return `{"grüße":"${name.toUpperCase()}","n":[1,2]}\n`;
      }),
    async use(client) {
      await client.send('{"name":"alice"}\n');
      await client.line();
    },
    file: '> {"name":"alice"}\\n\n< {"grüße":"ALICE","n":[1,2]}\\n\n',
    fresh: '> {"name":"{word}"}\\n\n< {"grüße":"{upper(word)}","n":[1,2]}\\n\n',
  },
  {
    name: "a length before each message",
    async handle(client) {
      const [, length = 0] = await client.bytes(2);
      const text = await client.bytes(length);
      await client.send([0, length + 2, ...text, 33, 33]);
    },
    async use(client) {
      await client.send([0, 4, 112, 105, 110, 103]);
      await client.rest();
    },
    file: "> \\0\\x04ping\n< \\0\\x06ping!!{end}\n",
    fresh: "> {length as u16}{word}\n< {length as u16}{word}!!{end}\n",
  },
  {
    name: "a request that ends with its sender",
    async handle(client) {
      const all = await client.rest();
      await client.send(`${all.length} bytes`);
    },
    async use(client) {
      await client.send("a b ");
      await client.conn.closeWrite();
      await client.rest();
    },
    file: "> a b\\x20{end}\n< 4 bytes\n",
    fresh: "> a b {end}\n< 4 bytes\n",
  },
  {
    name: "bytes that are no text, and a line that is cut in two",
    async handle(client) {
      await client.bytes(3);
      await client.send([0xff, 0x0a]);
      await client.send("one ");
      await client.send("two\nthree");
      await client.rest();
    },
    async use(client) {
      await client.send([0x01, 0x5c, 0xfe]);
      await client.bytes(15);
    },
    file: "> \\x01\\\\\\xfe\n< \\xff\\n\n< one two\\n\n< three\n",
  },
];

for (const { name, handle, use, file, fresh = file } of programs) {
  Deno.test(`a recording replays unedited: ${name}`, async () => {
    await served(handle, async (port) => {
      const client = async (relayPort: number) => {
        using client = await connected(relayPort);
        await use(client, relayPort);
      };
      const plain = await record(port, client);
      assertEquals(plain, file);
      await replay(plain, `127.0.0.1:${port}`);
      const named = await record(port, client, { fresh: true });
      assertEquals(named, fresh);
      await replay(named, `127.0.0.1:${port}`);
    });
  });
}

Deno.test("connections become conversations in their order, those at the same time become one", async () => {
  const members = new Set<Peer>();
  const chat = async (client: Peer): Promise<void> => {
    members.add(client);
    await eachLine(client, (line) => {
      for (const member of members) if (member !== client) member.send(`they: ${line}\n`);
      return "sent\n";
    }).finally(() => members.delete(client));
  };
  await served(chat, async (port) => {
    const file = await record(port, async (port) => {
      {
        using alone = await connected(port);
        await alone.send("hello\n");
        await alone.line();
      }
      await until(() => members.size === 0, "the first has left");
      using ann = await connected(port);
      await ann.send("me\n");
      await ann.line();
      using bob = await connected(port);
      await bob.send("me too\n");
      await bob.line();
      await ann.line();
    });
    assertMatch(file, /^== connection 1\n> hello\\n\n< sent\\n\n\n== connection 2, 3\n/);
    assertMatch(
      file,
      /^a> me\\n\na< sent\\n\nb> me too\\n\n(?:b< sent\\n\na< they: me too\\n|a< .*\nb< .*)\n$/m,
    );
    await replay(file, `127.0.0.1:${port}`);
  });
});

Deno.test("datagrams are recorded one a line, and replay", async () => {
  await using server = await startCalc("udp");
  const file = await record(server.port, async (port) => {
    const client = bindDatagrams({ hostname: "127.0.0.1", port: 0 });
    for (const request of ["10 20 +", "6 7 *"]) {
      const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
      await client.send(new TextEncoder().encode(request), to);
      await client.receive(new Uint8Array(100));
    }
    client.close();
  }, { udp: true, fresh: true });
  assertEquals(
    file,
    "udp\n> {a} {b} +\n< Sum of {a} and {b} is {a + b}\n> {c} {d} *\n< Product of {c} and {d} is {c * d}\n",
  );
  await replay(file, `udp://127.0.0.1:${server.port}`);
});

/** Events of a connection, as a relay reports them. */
function heard(recording: Recording, ...events: readonly UnnumberedEvent[]): void {
  recording.see({ time: 0, connection: 1, what: "connected", ...ends });
  for (const event of events) recording.see({ time: 0, connection: 1, ...event } as WireEvent);
}

const end = { hostname: "127.0.0.1", port: 1 };
const ends = { client: end, relay: end, server: end, elapsedMs: 0 };
const data = (from: "client" | "server", bytes: Uint8Array): UnnumberedEvent => ({
  ...{ what: "data", from, data: bytes, bytes: bytes.length, faults: [], lost: false },
});
const closed = {
  what: "closed",
  reason: "ended",
  ...ends,
  clientBytes: 0,
  serverBytes: 0,
} as const;

Deno.test("what is not whole says so, and can be read all the same", () => {
  const ask = data("client", encoder.encode("ask\n"));
  const answer = data("server", encoder.encode("answer\n"));
  const flood = data("server", new Uint8Array(10_000).fill(97));
  const table: [remark: RegExp, events: UnnumberedEvent[]][] = [
    [/^# not finished: connection 1 was still open$/m, [ask, answer]],
    [/^# connection 1 was reset$/m, [ask, answer, { what: "reset", from: "client" }]],
    [/^# a fault ended connection 1$/m, [ask, answer, { ...closed, reason: "fault" }]],
    [
      /^# not complete: without 5904 bytes of connection 1$/m,
      [ask, answer, { what: "ended", from: "client" }, flood, closed],
    ],
    [
      /not complete: without \d+ bytes/,
      [ask, answer, ...Array(200).fill(flood), closed],
    ],
    [
      /not complete: without \d+ bytes/,
      [ask, data("server", new Uint8Array(900_000).fill(0xff)), closed],
    ],
    [
      /not complete: without \d+ bytes/,
      [ask, data("server", new Uint8Array(900_000).fill(0x0a)), closed],
    ],
    [
      /^# not complete: without 5904 bytes of connection 1$/m,
      [ask, flood, { what: "reset", from: "client" }],
    ],
  ];
  for (const [remark, events] of table) {
    const recording = new Recording("tcp");
    heard(recording, ...events);
    for (const fresh of [false, true]) {
      const file = conversationFile(recording.conversations(), { protocol: "tcp", fresh });
      assertMatch(file, remark);
      parseTalk(file);
    }
  }
  const nothing = conversationFile(new Recording("tcp").conversations(), {
    ...{ protocol: "tcp", fresh: false },
  });
  assertEquals(nothing, "# Nothing has been said yet.\n");
});

Deno.test("a connection on which nothing was said is no conversation", () => {
  const recording = new Recording("tcp");
  heard(recording, closed);
  const options = { protocol: "tcp", fresh: false } as const;
  assertEquals(
    conversationFile(recording.conversations(), options),
    "# Nothing has been said yet.\n",
  );
  recording.see({ time: 0, connection: 2, what: "connected", ...ends });
  for (const [from, text] of [["client", "ask\n"], ["server", "answer\n"]] as const) {
    recording.see({ time: 0, connection: 2, ...data(from, encoder.encode(text)) } as WireEvent);
  }
  recording.see({ time: 0, connection: 2, ...closed } as WireEvent);
  const file = conversationFile(recording.conversations(), options);
  assertEquals(file, "> ask\\n\n< answer\\n\n");
});

Deno.test("a server that never answers is in the file, which can be read", () => {
  const recording = new Recording("tcp");
  heard(recording, data("client", encoder.encode("hello?\n")), closed);
  const file = conversationFile(recording.conversations(), { protocol: "tcp", fresh: false });
  assertEquals(file, "> hello?\\n\n# The server said nothing.\n< {...}\n");
  parseTalk(file);
});

/** What programs say, with much that looks the same by chance. */
const phrase = fc.oneof(
  fc.constantFrom("10", "20", "30", "3", "7", "4", "007", "-5", "2.5", "5.0", "1e3", "99999999999"),
  fc.constantFrom(
    "word",
    "WORD",
    "drow",
    "echo",
    "length",
    "Hello",
    "end",
    "grüße",
    "{a}",
    "{end}",
  ),
  fc.constantFrom(" ", " + ", " * ", " / ", "add ", "=", "\n", "\r\n", ",", "\\", "{", "}", "\0"),
  fc.constantFrom("\x04word", "\xff", "\u2028", "\t", "GET /", "...", "udp", "type "),
);
const saying = fc.record({
  from: fc.constantFrom("client", "server"),
  connection: fc.constantFrom(1, 1, 1, 2),
  text: fc.array(phrase, { minLength: 1, maxLength: 5 }).map((phrases) => phrases.join("")),
  length: fc.constantFrom(0, 0, 1, 2),
});

Deno.test("what is written with names always fits what was recorded, and can be read", () =>
  assertProperty(
    fc.property(fc.array(saying, { minLength: 1, maxLength: 10 }), fc.boolean(), (sayings, udp) => {
      const recording = new Recording(udp ? "udp" : "tcp");
      for (const connection of [1, 2]) {
        recording.see({ time: 0, connection, what: "connected", ...ends });
      }
      const asked = new Set<number>();
      for (const { from, connection, text, length } of sayings) {
        if (from === "client") asked.add(connection);
        else if (udp && !asked.has(connection)) continue; // a flow begins with its client
        const bytes = encoder.encode(text);
        const prefix = [0, bytes.length].slice(2 - length);
        const said = data(from as Side, new Uint8Array([...prefix, ...bytes]));
        recording.see({ time: 0, connection, ...said } as WireEvent);
      }
      const conversations = recording.conversations();
      if (conversations.length === 0) return;
      const protocol = udp ? "udp" : "tcp";
      const talk = parseTalk(conversationFile(conversations, { protocol, fresh: true }));
      for (const [index, { turns }] of conversations.entries()) {
        assertShows(talk, talk.conversations[index]?.lines ?? [], turns);
      }
    }),
    1_000,
  ));

/** Asserts that lines, of both sides, fit what was said. */
function assertShows(talk: Talk, lines: readonly Line[], turns: readonly Turn[]): void {
  const values = new Map<string, Value>();
  let at = 0;
  for (const { from, bytes } of turns) {
    let size = 0;
    // A server's turn may be several lines.
    do {
      const line = lines[at++] as Line;
      assertEquals(line.says, from);
      const rest = bytes.subarray(size);
      const matched = new Matcher([line], { bytes: rest }, { talk, values });
      assertEquals(matched.finish("silent"), "matched", `${line.source} ${bytes}`);
      for (const [name, value] of matched.said) values.set(name, value);
      size += matched.size;
    } while (size < bytes.length);
    assertEquals(size, bytes.length);
  }
}

testWith([timing], "a long recording is written quickly, whatever was said", () => {
  const said = (connection: number, from: Side, text: string) =>
    ({ time: 0, connection, ...data(from, encoder.encode(text)) }) as WireEvent;
  const words = Array.from({ length: 30_000 }, (_, index) => `word ${index}`).join(" ");
  const table: readonly WireEvent[][] = [
    Array.from({ length: 10_000 }, (_, index) => [
      said(1, "client", `${index} plus word${index}\n`),
      said(1, "server", `${index + 1} Word ${index}\n`),
    ]).flat(),
    // The server's turns are many where two clients hear each one.
    [
      said(1, "client", words),
      said(2, "client", "hello\n"),
      ...Array.from(
        { length: 4_000 },
        (_, index) => said(1 + index % 2, "server", `word ${index}\n`),
      ),
    ],
  ];
  for (const events of table) {
    const recording = new Recording("tcp");
    for (const connection of [1, 2]) {
      recording.see({ time: 0, connection, what: "connected", ...ends });
    }
    events.forEach(recording.see);
    const start = processorTime();
    const file = conversationFile(recording.conversations(), { protocol: "tcp", fresh: true });
    parseTalk(file);
    assertLess(processorTime() - start, 5_000);
  }
});

Deno.test("what has passed over UDP is in the file, even if the relay is killed", async () => {
  await using server = await startCalc("udp");
  const folder = await Deno.makeTempDir();
  const path = `${folder}/calc.talk`;
  await using relay = new Process([
    ...netdemoCommand,
    ...["relay", "--host", "127.0.0.1", "--port", "0", "--record", path],
    `udp://127.0.0.1:${server.port}`,
  ]);
  const [, port = ""] = await relay.printed(/Listening on 127\.0\.0\.1:(\d+) /);
  const { code } = await netdemoInProcess([
    "calc-client",
    `udp://127.0.0.1:${port}`,
    "6",
    "7",
    "*",
  ]);
  assertEquals(code, 0);
  const recorded = async (): Promise<string> => await Deno.readTextFile(path);
  await until(async () => (await recorded()).includes("42"), "it is recorded");
  await relay.stop("SIGKILL");
  assertEquals(await recorded(), "udp\n> 6 7 *\\n\n< Product of 6 and 7 is 42\\n\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a file that holds something is never recorded over", async () => {
  const path = await Deno.makeTempFile({ suffix: ".talk" });
  try {
    const edited = "> {a} {b} +\n< {...}{a + b}\n";
    await Deno.writeTextFile(path, edited);
    const args = ["relay", "--port", "0", "--record", path, ":1"];
    const { code, stderr } = await netdemoInProcess(args);
    assertEquals(code, 2);
    assertMatch(
      stderr,
      /--record: '.*\.talk' exists already\nhint: name another file, or remove it/,
    );
    assertEquals(await Deno.readTextFile(path), edited);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("wrong uses of --record start nothing", async () => {
  const table: [args: string[], code: number, message: RegExp][] = [
    [["--fresh"], 2, /--fresh needs --record FILE\nhint: netdemo relay --port 0 :1 --record/],
    [
      ["--record", "/none/a.talk"],
      1,
      /cannot write the recording to \/none\/a\.talk: (?:no such file|path not found).*\nhint: choose a --record file/,
    ],
  ];
  for (const [args, code, message] of table) {
    const ended = await netdemoInProcess(["relay", "--port", "0", ":1", ...args]);
    assertEquals(ended.code, code, ended.stderr);
    assertMatch(ended.stderr, message);
  }
});

pythonTest(
  "the lesson's own programs are recorded by the command, and their recording replays",
  async (python) => {
    await using server = new Process([python, lesson("calc_server")]);
    const [, target = ""] = await server.printed(/^port (\d+)\n/);
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/calc.talk`;
      await using relay = new Process([
        ...netdemoCommand,
        ...["relay", "--host", "127.0.0.1", "--port", "0", "--record", path, "--fresh"],
        `127.0.0.1:${target}`,
      ]);
      const [, port = ""] = await relay.printed(/Listening on 127\.0\.0\.1:(\d+) /);
      await using client = new Process([python, lesson("calc_client"), port, "10 20 +"]);
      await client.ended();
      const wanted = "> {a} {b} +\n< Sum of {a} and {b} is {a + b}\n";
      await until(
        async () => (await Deno.readTextFile(path)).includes("{a + b}"),
        "it is recorded",
      );
      assertStringIncludes(await Deno.readTextFile(path), wanted);
      assertEquals((await relay.stop("SIGTERM")).code, 0);
      await using again = new Process([python, lesson("calc_server")]);
      const [, port2 = ""] = await again.printed(/^port (\d+)\n/);
      await replay(wanted, `127.0.0.1:${port2}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
