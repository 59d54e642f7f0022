import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { type ForeignKind, foreignStart } from "../protocol/first_bytes.ts";
import { LineBuffer } from "../protocol/line_buffer.ts";
import { proxyHeader } from "../protocol/proxy_header.ts";
import { MAX_ERROR_LENGTH } from "../protocol/reply.ts";
import {
  netdemoInProcess,
  run,
  startServer,
  TestConnection,
  TestSocket,
  testWith,
  tool,
} from "./harness/mod.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = (latin1: string): Uint8Array => Uint8Array.from(latin1, (unit) => unit.charCodeAt(0));
const utf16 = (text: string): Uint8Array =>
  new Uint8Array(Uint16Array.from(text.split(""), (unit) => unit.charCodeAt(0)).buffer);
const from = { hostname: "192.0.2.1", port: 51_234 };
const to = { hostname: "192.0.2.7", port: 4_040 };

/** What clients of other protocols send first, and the error reply to it. */
const starts: readonly {
  kind: ForeignKind;
  sends: Uint8Array;
  error: string;
  /** To a server of messages. */
  isText?: true;
  /** Each line is answered. */
  goesOn?: true;
}[] = [
  { kind: "PROXY v1", sends: proxyHeader("v1", from, to), error: "speak the PROXY protocol" },
  {
    kind: "PROXY v1",
    sends: proxyHeader("v1", { path: null }, to),
    error: "speak the PROXY protocol",
  },
  { kind: "PROXY v2", sends: proxyHeader("v2", from, to), error: "speak the PROXY protocol" },
  { kind: "TLS", sends: bytes("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\xaa\n\xbb"), error: "TLS" },
  { kind: "HTTP", sends: bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), error: "HTTP", isText: true },
  { kind: "SSH", sends: bytes("SSH-2.0-OpenSSH_9.6\r\n"), error: "SSH", isText: true },
  { kind: "UTF-16", sends: utf16("\ufeff1"), error: "the request is UTF-16 text", goesOn: true },
  { kind: "UTF-16", sends: utf16("1 2 +\n"), error: "the request is UTF-16 text", isText: true },
  {
    kind: "telnet",
    sends: bytes("\xff\xfd\x03\xff\xfb\x18"),
    error: "no telnet options",
    goesOn: true,
  },
  {
    kind: "telnet",
    sends: bytes("\xff\xfe\x01\xff\xfb\x18"),
    error: "no telnet options",
    goesOn: true,
  },
];

Deno.test("a server names what its client speaks, in one short error reply", async () => {
  const { process, port } = await startServer(["calc-server", "--verbose"]);
  await using _process = process;
  for (const { sends, error, goesOn } of starts) {
    using connection = await TestConnection.open(port);
    await connection.send(concat([sends, encode("\n10 20 +\n")]));
    const [reply = "", next] = await connection.receiveLines(goesOn ? 2 : 1);
    assertMatch(reply, /^Error: /);
    assertStringIncludes(reply, error);
    assert(encode(reply).length <= MAX_ERROR_LENGTH, reply);
    // No answer is shifted by one: either they are in step, or there are none.
    if (goesOn) assertEquals(next, "Sum of 10 and 20 is 30");
    else assertEquals(await connection.receiveAll(), "");
  }
  const { stderr } = await process.stop();
  assertEquals([...stderr.matchAll(/ begins {4}with /g)].length, starts.length, stderr);
  assertMatch(
    stderr,
    /^#3 127\.0\.0\.1:\d+ begins {4}with a header of the PROXY protocol, version 2$/m,
  );
  assertMatch(stderr, /^#3 127\.0\.0\.1:\d+ ended {5}other protocol; 0 requests in /m);
});

Deno.test("a header of the PROXY protocol is known wherever it is cut, but within a line", () => {
  for (const version of ["v1", "v2"] as const) {
    const header = concat([proxyHeader(version, from, to), encode("1 2 +\n")]);
    for (let cut = 1; cut < header.length; cut++) {
      if (version === "v2" && cut > 6 && cut < 12) continue; // NUL, CR, LF is a line of text
      const lines = new LineBuffer(100);
      const known: (ForeignKind | undefined)[] = [];
      for (const piece of [header.subarray(0, cut), header.subarray(cut)]) {
        lines.space().set(piece);
        known.push(foreignStart(lines.unread(piece.length))?.kind);
        // Nothing has been answered before it is known.
        if (known.at(-1) === undefined) assertEquals(lines.take(piece.length), []);
        else break;
      }
      assertEquals(known.at(-1), `PROXY ${version}`, `cut at ${cut}`);
    }
  }
});

Deno.test("any text is a message, and what looks like another protocol is only named", async () => {
  const { process, port } = await startServer(["message-server", "--verbose"]);
  await using _process = process;
  for (const { sends, isText } of starts.filter(({ goesOn }) => !goesOn)) {
    using connection = await TestConnection.open(port);
    await connection.send(sends);
    const [reply = ""] = await connection.receiveLines(1);
    assertEquals(reply.startsWith("Error: "), isText === undefined, reply);
    if (isText) assertEquals(reply, "Thanks...");
  }
  await process.reported(/begins {4}with an HTTP request/);
});

Deno.test("datagrams of another protocol are named in the error reply", async () => {
  const { process, port } = await startServer(["calc-server", "--udp", "--verbose"]);
  await using _process = process;
  using socket = new TestSocket();
  for (const { sends, error } of starts) {
    const reply = await socket.ask(port, sends);
    assertStringIncludes(reply, error);
    assert(encode(reply.trimEnd()).length <= MAX_ERROR_LENGTH, reply);
  }
  assertStringIncludes(await socket.ask(port, bytes("\x16\xfe\xfd\0\0")), "TLS"); // DTLS
  await process.reported(/begins {4}with a TLS handshake/);
});

Deno.test("a conversation names what a client of another protocol begins with", async () => {
  const file = await Deno.makeTempFile({ suffix: ".talk" });
  try {
    await Deno.writeTextFile(file, "> PING\n< PONG\n");
    const { process } = await startServer(["serve", `${file}:0`, "--verbose"], []);
    await using _process = process;
    const [, port = ""] = await process.printed(/Listening on 127\.0\.0\.1:(\d+)/);
    using connection = await TestConnection.open(Number(port));
    await connection.send("GET / HTTP/1.1\r\n\r\n");
    await process.reported(/begins {4}with an HTTP request/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("no request of the lesson is taken for another protocol", () => {
  const requests = ["10 20 +", "-5 3 *", "+1 2 -", "", "\r\n", "\n", "\0", " 1 2 +"];
  const messages = ["Hello Server HBD", "GET well soon", "PROXY", "PROXY fight", "SSH", "\ufeffHi"];
  for (const text of [...requests, ...messages, "whoami", "Thanks...", "1\0", "a\0b"]) {
    assertEquals(foreignStart(encode(text))?.kind, undefined, text);
  }
});

testWith([tool("curl")], "curl sees the error reply, over HTTP and HTTPS", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const web = await run(["curl", "-s", "--http0.9", "-m", "10", `http://127.0.0.1:${port}/`]);
  assertEquals(web.stdout, "Error: this server does not speak HTTP\n");
  const secure = await run(["curl", "-s", "-m", "10", `https://127.0.0.1:${port}/`]);
  assertEquals(secure.code, 35, "the handshake failed at once");
});

Deno.test("check says that a server does not speak what it was asked in", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  for (
    const [protocol, ...args] of [
      ["the PROXY protocol", "--proxy-protocol", "v2", `:${port}`],
      ["TLS", `tls://:${port}`],
      ["HTTP", `http://127.0.0.1:${port}/`],
    ]
  ) {
    const { code, stdout, stderr } = await netdemoInProcess(["check", ...args]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, `Error: this server does not speak ${protocol}`);
    assertEquals(protocol === "the PROXY protocol", /\nhint: .* sends a header/.test(stderr));
  }
});
