import { assertEquals } from "@std/assert";
import { openTalk } from "../../clients/call/talk_peer.ts";
import { TalkPlayer } from "../../clients/call/talk_player.ts";
import { type DeviationFacts, TalkDeviation } from "../../talk/deviation.ts";
import { startServer } from "../../services/server/start.ts";
import type { Server, StreamOptions } from "../../services/server/server.ts";
import { talkService } from "../../services/talk.ts";
import { acceptFrom } from "../../sockets/accept.ts";
import type { EagerPeer } from "../../sockets/eager_peer.ts";
import { listenTcp } from "../../sockets/listen.ts";
import type { Stream } from "../../sockets/stream.ts";
import { parseTalk } from "../../talk/parse.ts";
import type { Conversation, Talk } from "../../talk/talk.ts";

const TIMEOUT_MS = 2_000;

function serve(talk: Talk, options: StreamOptions = {}): Promise<Server> {
  const place = { protocol: talk.udp ? "udp" : "tcp", port: 0, addresses: ["127.0.0.1"] } as const;
  return startServer(talkService("talk", talk), place, options);
}

/** Plays all conversations; returns how the first one that fails does. */
async function play(talk: Talk, port: number): Promise<DeviationFacts | undefined> {
  const protocol = talk.udp ? "udp" : "tcp";
  const place = { protocol, addresses: ["127.0.0.1"], port } as const;
  for (const conversation of talk.conversations) {
    using player = new TalkPlayer(conversation, {
      talk,
      random: Math.random,
      timeout: TIMEOUT_MS,
      open: () => openTalk(place, { timeout: TIMEOUT_MS }),
    });
    try {
      await player.play();
    } catch (error) {
      if (error instanceof TalkDeviation) return error.facts;
      throw error;
    }
    await player.leave();
  }
  return undefined;
}

/** Conversations of all kinds, which netdemo plays with itself. */
const kinds: Readonly<Record<string, string>> = {
  "requests and replies are lines": "> {a} + {b}\\n\n< Result: {a + b}\\n\n> bye\\n\n< {end}\n",
  "the server speaks first": "< 220 {host} ready\\r\\n\n> EHLO {me}\\r\\n\n< 250-{host}\\r\\n\n" +
    "< 250 hi {me}\\r\\n\n",
  "nothing ends a message": "> {a} {b} +\n< Sum of {a} and {b} is {a + b}\n",
  "several requests before a reply": "> {a}\\n\n> {b}\\n\n> plus\\n\n< {a + b}\\n\n",
  "a length comes before": "> {length as u16}{w}\n< {length as u16}{upper(w)}\n",
  "a length before a word": "> {length as u16}\\x01{length(k) as u8}{k}{v}\n< \\0\n" +
    "> {length as u16}\\x02{length(k) as u8}{k}\n< {length as u16}{v}\n",
  "numbers are binary": "> \\x01{a as u32}{b as u32}\n< {a + b as u32}\n",
  "JSON": '> {"op": "add", "a": {a}, "b": {b}}\\n\n< {"result": {a + b}}\\n\n',
  "the server only speaks": "< {day 1..31} {year 1999..2030}\\n{end}\n",
  "the client ends its side": "> {text}{end}\n< {upper(text)}{end}\n",
  "the server closes at once": "< {end}\n",
  "a guess": "> 0\\n\n< higher\\n\n> 1\\n\n< higher\\n\n",
  "the client sends byte by byte": "> h\n> i\n> \\n\n< ho\\n\n",
  "the client ends its side in a line of its own":
    "> {text}\\n\n> {end}\n< {upper(text)}\\n{end}\n",
  "fixed size": "> {w}\\0\\0\\0\\0\\0\\0\\0\\0\n< {length(w)}\\0\n",
  "several conversations": "== one\n> a\\n\n< b\\n\n\n== two\n> c\\n\n< d\\n\n> e\\n\n< f\\n\n",
  "a value ends the reply": "> who\\n\n< {name}\n> again\\n\n< {name}\n",
  "a chat": "ann> {ann}\\n\nann< Hi {ann}\\n\nbob> {bob}\\n\nann< {bob} is here\\n\n" +
    "ann> {text}\\n\nbob< {text}\\n\nbob> {end}\nann< {bob} has left\\n{end}\n",
  "a greeting for each of several clients":
    "ann< Hi\\n\nbob< Hi\\n\nann> {a}\\n\nbob> {b}\\n\nann< {a + b}\\n\nbob< {a + b}\\n\n",
  "datagrams": "udp\n> {a} {b}\n< {a * b}\n< done\n",
  "binary datagrams": "udp\n> {n as u32}\n< {n + 1 as u32}\n",
};

Deno.test("netdemo plays both sides of every kind of conversation", async () => {
  for (const [kind, file] of Object.entries(kinds)) {
    const talk = parseTalk(file);
    await using server = await serve(talk);
    for (let round = 0; round < 2; round++) {
      assertEquals(await play(talk, server.port ?? 0), undefined, kind);
    }
  }
});

Deno.test("a request that has a line end gets a reply with one", async () => {
  const talk = parseTalk("> {a} {b} +\n< {a + b}\n");
  await using server = await serve(talk);
  for (const end of ["\\n", "\\r\\n"]) {
    assertEquals(await play(parseTalk(`> 1 2 +${end}\n< 3${end}\n`), server.port ?? 0), undefined);
  }
});

Deno.test("conversations come in any order, and what fits no line is reported", async () => {
  const ignored: string[] = [];
  const talk = parseTalk("== one\n> a\\n\n< 1\\n\n> b\\n\n< 2\\n\n\n== two\n> c\\n\n< 3\\n\n");
  await using server = await serve(talk, { events: { ignored: (_, why) => ignored.push(why) } });
  const asked = parseTalk(
    "> c\\n\n< 3\\n\n> what?\\na\\n\n< 1\\n\n> a\\n\n< 1\\n\n> b\\n\n< 2\\n\n",
  );
  assertEquals(await play(asked, server.port ?? 0), undefined);
  assertEquals(ignored, ["no line of the conversation fits what?\\n"]);
});

Deno.test("datagrams after the reply are reported", async () => {
  await using server = await serve(parseTalk("udp\n> a\n< b\n< c\n"));
  const facts = await play(parseTalk("udp\n> a\n< b\n"), server.port ?? 0);
  assertEquals([facts?.kind, facts?.line.number, facts && decoder.decode(facts.came)], [
    "more",
    3,
    "c",
  ]);
});

Deno.test("a second send waits until the first has been read", async () => {
  const said: string[] = [];
  await using server = await serving(async (stream) => {
    const buffer = new Uint8Array(1_024);
    for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
      said.push(decoder.decode(buffer.subarray(0, count)));
      if (said.length === 3) await say(stream, "ok\n");
    }
  });
  assertEquals(await play(parseTalk("> a\n> b\n> c\n< ok\\n\n"), server.port), undefined);
  assertEquals(said, ["a", "b", "c"]);
});

/** A server that does the same for every connection. */
async function serving(
  behave: (stream: Stream) => Promise<void>,
): Promise<AsyncDisposable & { readonly port: number }> {
  const [listener] = await listenTcp(["127.0.0.1"], 0);
  const stop = new AbortController();
  const tasks: Promise<void>[] = [];
  if (listener === undefined || !("port" in listener.addr)) throw new TypeError("no listener");
  const accepting = acceptFrom(listener, {
    signal: stop.signal,
    admit: (stream) => tasks.push(behave(stream).catch(() => {}).finally(() => stream.close())),
  });
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await accepting;
      await Promise.all(tasks);
    },
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const say = (stream: Stream, text: string) => stream.write(encoder.encode(text));

/** Answers each line, or each piece, with the text; reads until its client leaves. */
function answering(text: string, isLine = true) {
  return async (stream: Stream): Promise<void> => {
    const buffer = new Uint8Array(1_024);
    for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
      if (!isLine || buffer[count - 1] === 10) await say(stream, text);
    }
  };
}

/** Servers that do not say what the file shows, and how that is reported. */
const faults: readonly (readonly [string, string, (stream: Stream) => Promise<void>])[] = [
  ["> 1\\n\n< 2\\n\n", "wrong line 2, 0 of 3\\n, wanted 2\\n", answering("3\n")],
  ["> 1\\n\n< 2\\n\n", "more line 2, 0 of !\\n, wanted ", answering("2\n!\n")],
  ["> 1\\n\n< 2!\\n\n", "less line 2, 1 of 2, wanted 2!\\n", answering("2")],
  ["> 1\n< 2\n", "less line 2, 0 of , wanted 2, needs line end", answering("2\n")],
  ["> 1\n< 2\n", "wrong line 2, 0 of hi2\\n, wanted 2, speaks first", async (stream) => {
    await say(stream, "hi");
    await answering("2\n", false)(stream);
  }],
  ["> 1\n< 2\n", "less line 2, 0 of , wanted 2, closed", async (stream) => {
    await stream.read(new Uint8Array(10));
  }],
  ["> 1\n< 2{end}\n", "less line 2, 1 of 2, wanted 2{end}", answering("2", false)],
  [
    "> {a 5..5}\n< {a + 1}\\n\n< {a}\\n\n",
    "wrong line 3, 2 of 6\\n6\\n, wanted 6\\n5\\n",
    answering("6\n6\n", false),
  ],
];

Deno.test("a server that says something else is told what was wanted and what came", async () => {
  const decoder = new TextDecoder();
  for (const [file, wanted, behave] of faults) {
    await using server = await serving(behave);
    const facts = await play(parseTalk(file), server.port);
    const shown = facts && [
      `${facts.kind} line ${facts.line.number}`,
      `${facts.right} of ${decoder.decode(facts.came).replaceAll("\n", "\\n")}`,
      `wanted ${facts.wanted}`,
      ...[facts.ending, facts.hint].filter((fact) => fact !== undefined),
    ].join(", ");
    assertEquals(shown, wanted, file);
  }
});

Deno.test("digits that come after a reply was taken for whole belong to it", async () => {
  const rest = Promise.withResolvers<void>();
  const encoder = new TextEncoder();
  await using server = await serving(async (stream) => {
    await stream.read(new Uint8Array(100));
    await stream.write(encoder.encode("1/3 is 0.3333"));
    await rest.promise;
    await stream.write(encoder.encode("333"));
    await stream.read(new Uint8Array(100));
    await stream.write(encoder.encode("bye"));
  });
  const talk = parseTalk("> {a 1..1} {b 3..3} /\n< {a}/{b} is {a / b}\n> bye\n< bye\n");
  const [conversation] = talk.conversations;
  const peer = await openTalk({ protocol: "tcp", addresses: ["127.0.0.1"], port: server.port }, {
    timeout: TIMEOUT_MS,
  });
  using player = new TalkPlayer(conversation as Conversation, {
    talk,
    random: Math.random,
    timeout: TIMEOUT_MS,
    open: () => Promise.resolve(peer),
  });
  await player.play(conversation?.lines[2]);
  rest.resolve();
  await (peer as EagerPeer).until(({ length }) => length > 0, TIMEOUT_MS);
  await player.play();
});
