/** check asks web servers: what is right, what is wrong, and what was cut. */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import type { EventOf } from "../cli/output/events.ts";
import { httpChallenge } from "../commands/check/questions/http.ts";
import { wantedText } from "../commands/check/questions/custom.ts";
import { challengeFor, parseExpectation } from "../commands/check/targets/targets.ts";
import { type Ended, netdemoInProcess, processorTime } from "./harness/mod.ts";
import { forever, type RunningPeer, send, startStreams } from "./harness/peers.ts";

const HOST = "127.0.0.1";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const check = (...args: readonly string[]): Promise<Ended> =>
  netdemoInProcess(["check", ...args, "--timeout", "700ms"]);

async function probes(...args: readonly string[]): Promise<EventOf<"probe">[]> {
  const { stdout } = await check("--json", ...args);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    .filter(({ event }) => event === "probe");
}

const ask = (status = { first: 200, last: 399 }, body?: string) =>
  httpChallenge({
    path: "/health?a=1",
    status,
    body: body === undefined ? undefined : wantedText(body),
  }, "web:8080");

Deno.test("the request names its host and path, and asks for the end of the connection", () => {
  assertEquals(
    decoder.decode(ask().request),
    "GET /health?a=1 HTTP/1.1\r\nHost: web:8080\r\nUser-Agent: netdemo\r\nAccept: */*\r\n" +
      "Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
  );
});

Deno.test("a name in other letters is sent as certificates and headers have it", () => {
  const options = { services: [], canBeSlow: false };
  const expected = parseExpectation("https://münchen.example/ä", options);
  assertEquals(expected.tls?.host, "xn--mnchen-3ya.example");
  const question = challengeFor(expected, new Map());
  if (question?.form !== "http") throw new TypeError("not a question over HTTP");
  assertMatch(
    decoder.decode(question.request),
    /^GET \/%C3%A4 .*\r\nHost: xn--mnchen-3ya\.example\r\n/,
  );
});

/** Answers that are whole: what they are with the default status, and with a body with `ready`. */
const answers: readonly (readonly [answer: string, is: "right" | "wrong", ready?: "right"])[] = [
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", "right", "right"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "right"],
  ["HTTP/1.1 204 No Content\r\n\r\n", "right"],
  ["HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "right"],
  ["HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", "right"],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "right"],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2;x=y\r\ndy\r\n0\r\n\r\n",
    "right",
    "right",
  ],
  ["\r\nHTTP/1.2 200 OK\r\nX: y\r\n\tz\r\nContent-Length:\r\n 2, 2\r\n\r\nok", "right"],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n" +
    '0000000005;a="b"\r\nready\r\n0\r\n\r\n',
    "right",
    "right",
  ],
  ["HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", "wrong"],
  ["HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok", "wrong"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nready", "wrong"],
  ["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nready", "wrong"],
  ["HTTP/1.1 404 Not Found\r\n\r\n", "wrong"],
  ["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "wrong"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "wrong"],
];

Deno.test("an answer is judged alike wherever it is cut, and not before it is whole", () => {
  for (const [answer, is, ready = "wrong"] of answers) {
    const bytes = encoder.encode(answer);
    assertEquals(ask().match(bytes).is, is, answer);
    assertEquals(ask(undefined, "ready").match(bytes).is, ready, answer);
    const decided = bytes.findIndex((_, size) =>
      ask().match(bytes.subarray(0, size)).is !== "part"
    );
    for (let size = 0; size < bytes.length; size++) {
      const { is: part } = ask().match(bytes.subarray(0, size));
      // A status that is wrong, or a body that can't be one, needs no more of the answer.
      if (decided === -1 || size < decided) assertEquals(part, "part", answer.slice(0, size));
      else assertEquals(part, is === "right" ? "part" : "wrong", answer.slice(0, size));
    }
  }
});

Deno.test("a body without a length ends with the connection, one with a length is cut by it", () => {
  const open = encoder.encode("HTTP/1.0 200 OK\r\n\r\nready");
  assertEquals([ask().match(open).is, ask().match(open, "end").is], ["part", "right"]);
  assertEquals(ask(undefined, "ready").match(open, "end").is, "right");
  const cut = encoder.encode("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nready");
  assertEquals(ask().match(cut, "end").is, "part");
});

Deno.test("of a long body the first 64 KiB are enough", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n";
  const body = (text: string) => encoder.encode(head + text.padEnd(65_536, "."));
  assertEquals(ask().match(body("ready")).is, "right");
  assertEquals(ask(undefined, "ready").match(body("ready")).is, "right");
  assertEquals(ask(undefined, "ready").match(body("no")).is, "wrong");
});

Deno.test("--status accepts other answers, and no others", () => {
  const created = encoder.encode("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  assertEquals(ask({ first: 204, last: 204 }).match(created).is, "wrong");
  assertEquals(ask({ first: 200, last: 299 }).match(created).is, "right");
  assertEquals(ask({ first: 201, last: 201 }).match(created).is, "right");
  // Nothing of HTTP follows, and the connection stays open.
  const switched = encoder.encode("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
  assertEquals(ask({ first: 101, last: 101 }).match(switched).is, "right");
});

Deno.test("an answer takes no longer to judge than to read, whatever its headers hold", () => {
  for (const fill of [" ", "\t", "\r", "a ", ":", ", ", "; "]) {
    for (const field of ["X: a", "", "Content-Length: 0", "Transfer-Encoding: chunked"]) {
      const long = field + fill.repeat(60_000 / fill.length);
      const answer = encoder.encode(`HTTP/1.1 200 OK\r\n${long}b\r\n\r\n`);
      const start = processorTime();
      ask().match(answer);
      const took = processorTime() - start;
      // A few milliseconds; seconds if it were quadratic.
      assertLess(took, 1_000, JSON.stringify([field, fill]));
    }
  }
});

/** A web server that sends the same to everyone once it has been asked. */
function startWeb(answer: string, stays = false): Promise<RunningPeer> {
  return startStreams(HOST, async (stream) => {
    const buffer = new Uint8Array(4_096);
    let text = "";
    while (!text.includes("\r\n\r\n")) {
      const count = await stream.read(buffer);
      if (count === null) return;
      text += decoder.decode(buffer.subarray(0, count));
    }
    await send(stream, answer);
    if (stays) await forever;
  });
}

/** Web servers, each with the verdict that it deserves, and what the row says. */
const servers:
  readonly (readonly [answer: string, stays: boolean, verdict: string, row: RegExp])[] = [
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, "ok", /whole [\d.]+ ms +\(200 OK\)/],
    ["HTTP/1.0 200 OK\r\n\r\nok", false, "ok", /\(200 OK\)/],
    [
      "HTTP/1.1 302 Found\r\nLocation: https://x/\r\nContent-Length: 0\r\n\r\n",
      true,
      "ok",
      /\(302 Found, to https:\/\/x\/\)/,
    ],
    ["HTTP/1.1 500 Oops\r\n\r\n", false, "wrong", /reply: 500 Oops, not 200-399/],
    [`HTTP/1.1 500 ${"é".repeat(900)}\r\n\r\n`, false, "wrong", /reply: 500 .{77}\.\.\., not 2/],
    [`220 ${"x".repeat(900)}\r\n`, true, "wrong", /"220 x{73}\.\.\.", which is not HTTP/],
    ["SSH-2.0-x\r\n", true, "wrong", /"SSH-2\.0-x", which is not HTTP/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", false, "closed", /with 40 bytes of a reply/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", true, "silent", /40 bytes of a reply/],
    [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}`, true, "wrong", /headers of more than 64 KiB/],
    ["", false, "closed", /without a byte/],
    ["HTTP/1.1 20", true, "silent", /11 bytes of a reply/],
  ];

for (const [answer, stays, verdict, row] of servers) {
  const title = JSON.stringify(answer.slice(0, 60));
  Deno.test(`over HTTP ${title}, then ${stays ? "nothing" : "the end"}, is ${verdict}`, async () => {
    await using server = await startWeb(answer, stays);
    const { stdout } = await check(`http://${HOST}:${server.port}/`);
    assertMatch(stdout, new RegExp(`^\\S+ +\\S+ ${HOST} +${verdict} `));
    assertMatch(stdout, row);
  });
}

Deno.test("the hint fits what a web server did wrong", async () => {
  const other = "HTTP/1.1 503 Oops\r\nContent-Length: 5\r\n\r\nready";
  const hints: readonly (readonly [answer: string, args: readonly string[], hint: RegExp])[] = [
    [other, [], /accept that with --status 503\n/],
    ["HTTP/1.1 400 Plain\r\n\r\n", [], /if it expects TLS, write https:\/\/ for http/],
    [other, ["--status", "503", "--reply", "steady"], /another body: compare that with --reply\n/],
    ["SSH-2.0-x\r\n", [], /it speaks another protocol or TLS \(https:\/\/\)/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", [], /its reply began and did not end/],
    ["", [], /it may hang, speak another protocol or TLS \(https:\/\/\)/],
  ];
  for (const [answer, args, hint] of hints) {
    await using server = await startWeb(answer);
    assertMatch((await check(`http://${HOST}:${server.port}/`, ...args)).stderr, hint);
  }
});

Deno.test("the report has the phases of HTTP, and its status", async () => {
  await using server = await startWeb("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const [probe] = await probes(`http://${HOST}:${server.port}/health`);
  assertEquals([probe?.service, probe?.protocol, probe?.httpStatus], ["http", "tcp", 200]);
  const phases = ["connectMs", "sendMs", "firstByteMs", "replyMs"] as const;
  assertEquals(phases.filter((phase) => probe?.[phase] === undefined), []);
});

Deno.test("--reply looks in the body, --status and --reply hold for the targets after them", async () => {
  await using server = await startWeb("HTTP/1.1 404 Gone\r\nContent-Length: 5\r\n\r\nready");
  const url = `http://${HOST}:${server.port}`;
  const found = await probes("--status", "404", "--reply", "ready", url, "--status", "404", url);
  assertEquals(found.map(({ verdict }) => verdict), ["ok", "ok"]);
  const missing = await check("--status", "404", "--reply", "absent", url);
  assertMatch(missing.stdout, /404 Gone, but "absent" is not in its body/);
  // A question with a request of its own is not meant for web servers.
  const [plain] = await probes("--send", "x", "--reply", "y", `${HOST}:1`, `wrong=${url}`);
  assertEquals(plain?.target, `${HOST}:1`);
  for (
    const [args, message] of [
      [["--status", "99", url], /--status must be an HTTP status or a range/],
      [["--status", "100", url], /--status must be an HTTP status or a range/],
      [["--status", "204", `${HOST}:1/calc`], /--status is for targets over HTTP\nhint: .*http:/],
      [["--send", "x", "--reply", "y", url], /--send and --talk are not for http:\/\//],
      [[`${HOST}:1/health`], /'\/health' is not a service\nhint: .*http:\/\/HOST:PORT\/PATH\n/],
      [["http://user@web/"], /leave out everything before the @/],
      [[`http://${HOST}:99999/`], /a port is a whole number from 1 to 65535/],
      [[`udp://${HOST}:1`, "-4", "-6"], /-4 and -6 leave no address/],
      [["[::1]:1", "-4"], /only IPv4 addresses are checked/],
    ] as const
  ) {
    const { code, stderr } = await check(...args);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, message);
  }
});

Deno.test("-4 and -6 check only that family of a name", async () => {
  await using server = await startWeb("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const url = `http://localhost:${server.port}/`;
  assertEquals((await probes(url, "-4")).map(({ remote }) => remote), [`${HOST}:${server.port}`]);
  assertEquals((await probes(url, "-6")).map(({ remote }) => remote), [`[::1]:${server.port}`]);
  assertEquals((await check(url, "--strict")).code, 11);
  assertEquals((await check(url, "--strict", "-4")).code, 0);
});
