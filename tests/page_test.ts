import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { openRelayPage } from "../page/open_page.ts";
import { Backend } from "../commands/relay/backend.ts";
import { startTcpRelay } from "../commands/relay/tcp_relay.ts";
import { readFault } from "../commands/relay/faults/fault.ts";
import { TestConnection } from "./harness/connection.ts";
import { signalTest } from "./harness/needs.ts";
import { netdemo, netdemoCommand, Process } from "./harness/process.ts";
import { PageViewer, startWatched } from "./harness/page_viewer.ts";
import { until } from "./harness/system.ts";
import { startCalc } from "./harness/relay.ts";

const encoder = new TextEncoder();

/** Sends text to a server and reads the given number of answers, or until the end. */
async function talk(port: number, text: string | Uint8Array, answers = 1): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(typeof text === "string" ? encoder.encode(text) : text);
  const buffer = new Uint8Array(65_536);
  let got = "";
  while (got.split("\n").length <= answers) {
    const count = await conn.read(buffer).catch(() => null);
    if (count === null) break;
    got += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return got;
}

/** Sends a raw request; returns the status and the headers of the response. */
async function ask(
  port: number,
  line: string,
  headers: readonly string[],
): Promise<{ readonly status: number; readonly head: string }> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(
    encoder.encode(`${[line, ...headers, "Connection: close"].join("\r\n")}\r\n\r\n`),
  );
  const buffer = new Uint8Array(65_536);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await conn.read(buffer);
    if (count === null) break;
    head += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head };
}

Deno.test("a request whose Host is not the page's own is rejected with 421", async () => {
  await using server = await startWatched();
  const { pagePort } = server;
  const foreign = ["evil.example", `evil.example:${pagePort}`, "127.0.0.1", "127.0.0.1:1", ""];
  for (const host of foreign) {
    for (const path of ["/", "/events", "/page.js"]) {
      const { status } = await ask(pagePort, `GET ${path} HTTP/1.1`, [`Host: ${host}`]);
      assertEquals([host, path, status], [host, path, 421]);
    }
  }
  for (const host of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"]) {
    const { status } = await ask(pagePort, "GET / HTTP/1.1", [`Host: ${host}:${pagePort}`]);
    assertEquals([host, status], [host, 200]);
  }
});

Deno.test("--page-host allows further names, and the 421 says so in a line that works", async () => {
  const start = ["calc-server", "--port", "0"];
  const [first, second] = ["Class-4100.app.example", "hub.example"];
  await using process = new Process([
    ...[...netdemoCommand, ...start, "--page-host", first, "--page-host", second],
  ]);
  const [, page] = await process.printed(/Page at http:\/\/127\.0\.0\.1:(\d+)\//);
  const port = Number(page);
  for (const host of [first, first.toLowerCase(), second, `${second}:443`, `localhost:${port}`]) {
    const { status } = await ask(port, "GET / HTTP/1.1", [`Host: ${host}`]);
    assertEquals([host, status], [host, 200]);
  }
  for (const host of ["evil.example", `sub.${second}`, `${second}.evil`, "", "[::2]", "a b"]) {
    const { status } = await ask(port, "GET /events HTTP/1.1", [`Host: ${host}`]);
    assertEquals([host, status], [host, 421]);
  }
  using refused = await TestConnection.open(port);
  await refused.send("GET / HTTP/1.1\r\nHost: new.example:1\r\n\r\n");
  const [, name = ""] = / --page-host (\S+)\n$/.exec(await refused.receiveAll()) ?? [];
  assertEquals(name, "new.example");
  await using again = new Process([...netdemoCommand, ...start, "--page-host", name]);
  await again.printed(/Page at/);
});

Deno.test("--page-host takes a host name alone", async () => {
  for (const host of ["https://hub.example/user", "hub.example:80", "", "a b"]) {
    const { code, stderr } = await netdemo(["calc-server", "--page-host", host]);
    assertEquals(code, 2);
    assertMatch(stderr, /USAGE: --page-host must be a host name alone.*\nhint: for example: /);
  }
});

Deno.test("each ladder can be had as a picture, with what is no longer kept", async () => {
  await using server = await startWatched();
  assertStringIncludes(await talk(server.port, "10 20 +\n"), "30");
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ connections }) => connections.get(1)?.kind === "over");
  const picture = await fetch(`${server.page.url}connection-1.svg`);
  assertEquals(picture.headers.get("content-type"), "image/svg+xml; charset=utf-8");
  const svg = await picture.text();
  for (const text of ["calc-server, connection 1: closed", "Sum of 10 and 20 is 30", "accept()"]) {
    assertStringIncludes(svg, text);
  }
  for (const name of ["connection-2.svg", "connection-0.svg", "connection-1.svgx"]) {
    const missing = await fetch(server.page.url + name);
    assertEquals([name, missing.status], [name, 404]);
    await missing.body?.cancel();
  }
});

Deno.test("every method but GET is rejected", async () => {
  await using server = await startWatched();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]) {
    const response = await fetch(server.page.url, { method });
    assertEquals([method, response.status], [method, 405]);
    assertEquals(response.headers.get("allow"), "GET");
    await response.body?.cancel();
  }
});

Deno.test("every response forbids foreign scripts, frames, sniffing and other origins", async () => {
  await using server = await startWatched();
  for (const path of ["", "page.css", "page.js", "elements.js", "icon.svg", "events", "none"]) {
    const response = await fetch(server.page.url + path);
    assertEquals(response.status, path === "none" ? 404 : 200, path);
    const policy = response.headers.get("content-security-policy") ?? "";
    assertMatch(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assertEquals(/unsafe|https?:|\*|data:/.test(policy), false);
    assertStringIncludes(policy, "frame-ancestors 'none'");
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    assertEquals(response.headers.get("cross-origin-resource-policy"), "same-origin");
    assertEquals(response.headers.get("access-control-allow-origin"), null);
    await response.body?.cancel();
  }
});

Deno.test("the page is reachable only on loopback", async () => {
  await using server = await startWatched();
  const others = Deno.networkInterfaces().filter(({ address, family }) =>
    family === "IPv4" && address !== "127.0.0.1"
  ).map(({ address }) => address);
  if (Deno.build.os === "linux") others.push("127.0.0.2"); // also loopback, but not the page's address
  for (const hostname of others) {
    await assertRejects(
      () => Deno.connect({ hostname, port: server.pagePort }),
      Deno.errors.ConnectionRefused,
    );
  }
});

Deno.test("another site's page can't load the page or take a viewer's place, but may link to it", async () => {
  await using server = await startWatched();
  const host = `Host: 127.0.0.1:${server.pagePort}`;
  const status = async (path: string, ...fetch: string[]): Promise<number> =>
    (await ask(server.pagePort, `GET ${path} HTTP/1.1`, [host, ...fetch])).status;
  for (const site of ["cross-site", "same-site"]) {
    const from = `Sec-Fetch-Site: ${site}`;
    for (const path of ["/", "/events"]) {
      assertEquals(await status(path, from, "Sec-Fetch-Mode: no-cors"), 403);
      assertEquals(await status(path, from), 403);
    }
    assertEquals(await status("/", from, "Sec-Fetch-Mode: navigate"), 200);
  }
  assertEquals(await status("/events", "Sec-Fetch-Site: same-origin"), 200);
});

Deno.test("20 viewers are admitted, the next gets 503, and a viewer that leaves frees its place", async () => {
  await using server = await startWatched();
  const { url } = server.page;
  await using viewers = new AsyncDisposableStack();
  const all = await Promise.all(Array.from({ length: 20 }, () => PageViewer.open(url)));
  for (const viewer of all) viewers.use(viewer);
  assertEquals(all.every(({ status }) => status === 200), true);
  const surplus = await fetch(`${url}events`);
  assertEquals(surplus.status, 503);
  await surplus.body?.cancel();
  await all[7]?.[Symbol.asyncDispose]();
  await until(() => server.page.viewers() < 20, "the place is free");
  await using next = await PageViewer.open(url);
  assertEquals(next.status, 200);
});

Deno.test("a viewer that does not read is dropped, and meanwhile the server answers others", async () => {
  await using server = await startWatched({ service: "lab", patience: 1_500 });
  using deaf = await Deno.connect({ hostname: "127.0.0.1", port: server.pagePort });
  await deaf.write(encoder.encode(
    `GET /events HTTP/1.1\r\nHost: 127.0.0.1:${server.pagePort}\r\n\r\n`,
  ));
  await using reads = await PageViewer.open(server.page.url);
  await until(() => server.page.viewers() === 2, "both view");
  const reading = reads.until(({ rungs }) =>
    rungs.some(({ arrow }) => arrow?.label.includes("news"))
  );
  // 24 MB for each viewer, part of which fills the system's buffers.
  using client = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const request = encoder.encode(`echo ${"x".repeat(4_000)}\n`);
  const buffer = new Uint8Array(8_192);
  let slowest = 0;
  for (let count = 0; count < 1_000 && server.page.viewers() === 2; count++) {
    const before = performance.now();
    await client.write(request);
    for (let got = 0; got < 4_001;) got += await client.read(buffer) ?? Infinity;
    slowest = Math.max(slowest, performance.now() - before);
  }
  await until(() => server.page.viewers() < 2, "the one that does not read is dropped");
  assert(slowest < 1_000, `an answer took ${slowest} ms`);
  await talk(server.port, "echo news\n");
  await reading;
});

Deno.test("data from clients is always text in the document", async () => {
  await using server = await startWatched({ service: "message" });
  const evil =
    `<script>alert(1)</script><img src=x onerror=alert(1)>" onmouseover="alert(1) </pre>\n`;
  await talk(server.port, evil);
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ rungs }) => rungs.some(({ arrow }) => arrow?.label.includes("script")));
  const text = await (await fetch(server.page.url)).text();
  assertStringIncludes(text, "&lt;script&gt;alert(1)&lt;/script&gt;");
  assertEquals(text.match(/<script/g)?.length, 1); // the page's own
  assertEquals(/<img|<\/pre>\\n|" onmouseover/.test(text), false);
});

Deno.test("control and bidirectional characters are escaped", async () => {
  await using server = await startWatched({ service: "message" });
  await talk(server.port, "a\x1b[31m\u202ez\n");
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ rungs }) => rungs.some(({ bytes }) => bytes !== undefined));
  const rung = viewer.rungs.find(({ bytes }) => bytes !== undefined);
  assertEquals(rung?.arrow?.label, String.raw`"a\x1b[31m\u202ez\n"`);
  assertEquals(rung?.bytes?.text, "a\\x1b[31m\\u202ez\\n\n");
});

Deno.test("the document contains the ladders so far: names, calls, bytes in hex, explanations", async () => {
  await using server = await startWatched();
  const before = await (await fetch(server.page.url)).text();
  assertStringIncludes(
    before,
    `<pre class="try">netdemo calc-client localhost:${server.port}</pre>`,
  );
  assertEquals(await talk(server.port, "10 20 +\n"), "Sum of 10 and 20 is 30\n");
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ connections }) => connections.get(1)?.kind === "over");
  const text = await (await fetch(server.page.url)).text();
  for (
    const part of [
      "client 127.0.0.1:",
      `calc-server 127.0.0.1:${server.port}`,
      "recv(8)",
      "&quot;10 20 +\\n&quot;",
      "0000  31 30 20 32 30 20 2b 0a  10 20 +.",
      "recv() takes what has arrived so far",
      "end of stream",
      ">closed<",
    ]
  ) assertStringIncludes(text, part);
});

Deno.test("a viewer gets the rungs during the conversation, and the server's end", async () => {
  await using server = await startWatched();
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ messages }) => messages.length > 0);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await conn.write(encoder.encode("10 20 +\n"));
  await viewer.until(({ rungs }) => rungs.length === 3);
  const story = viewer.rungs.map(({ server, arrow }) => [server, arrow?.from, arrow?.label]);
  assertEquals(story, [
    ["accept()", "client", "handshake"],
    ["recv(8)", "client", String.raw`"10 20 +\n"`],
    ["send(23)", "server", String.raw`"Sum of 10 and 20 is 30\n"`],
  ]);
  assertEquals(viewer.connections.get(1)?.word, "open");
  await Promise.all([viewer.end(), server.stop("SIGTERM")]);
  assertEquals(viewer.messages.at(-1)?.stopped, "SIGTERM");
});

Deno.test("a returning viewer continues where it left off; one from another run starts over", async () => {
  await using server = await startWatched();
  await talk(server.port, "1 2 +\n");
  let lastId = "";
  {
    await using viewer = await PageViewer.open(server.page.url);
    await viewer.until(({ connections }) => connections.get(1)?.kind === "over");
    ({ lastId } = viewer);
    assertEquals(viewer.messages[0]?.isReset, true);
  }
  await talk(server.port, "3 4 +\n");
  await using again = await PageViewer.open(server.page.url, { "last-event-id": lastId });
  await again.until(({ connections }) => connections.get(2)?.kind === "over");
  assertEquals(again.messages.some(({ isReset }) => isReset), false);
  assertEquals(new Set(again.rungs.map(({ connection }) => connection)), new Set([2]));
  const foreign = lastId.replace(/^./, (first) => first === "a" ? "b" : "a");
  await using other = await PageViewer.open(server.page.url, { "last-event-id": foreign });
  await other.until(({ connections }) => connections.size === 2);
  assertEquals(other.messages[0]?.isReset, true);
});

Deno.test("each piece keeps its first 4 KiB and its total size", async () => {
  await using server = await startWatched();
  await talk(server.port, `${"1".repeat(9_000)} 2 +\n`);
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ connections }) => connections.get(1)?.kind === "over");
  const pieces = viewer.rungs.flatMap(({ bytes }) => bytes ?? []);
  assertGreater(Math.max(...pieces.map(({ total }) => total)), 4_096);
  assertEquals(Math.max(...pieces.map(({ base64 }) => atob(base64).length)), 4_096);
});

Deno.test("the last 2,000 events are kept, and a busy connection does not push out a quiet one", async () => {
  await using server = await startWatched();
  await talk(server.port, "10 20 +\n");
  using hasty = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const buffer = new Uint8Array(1_024);
  for (let count = 0; count < 1_200; count++) {
    await hasty.write(encoder.encode("1 1 +\n"));
    await hasty.read(buffer);
  }
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ rungs }) => rungs.length > 1_800);
  const { rungs, connections } = viewer;
  assertEquals(rungs.length <= 2_000, true);
  assertEquals(rungs.filter(({ connection }) => connection === 1).length, 5);
  // The first events of the busy one stay.
  const busy = rungs.filter(({ connection }) => connection === 2);
  const after = busy[7]?.number ?? 0;
  assertGreater(15, after);
  assertGreater(busy[8]?.number ?? 0, after + 10);
  const document = await (await fetch(server.page.url)).text();
  const gap =
    /data-number="(\d+)">[\d,]+ calls are no longer kept<\/li><li class="rung" data-number="(\d+)"/;
  assertEquals(gap.exec(document)?.slice(1).map(Number), [after, busy[8]?.number]);
  assertGreater(connections.get(2)?.gap?.events ?? 0, 0);
  assertEquals(
    rungs.map(({ number }) => number),
    rungs.map(({ number }) => number).toSorted((a, b) => a - b),
  );
});

Deno.test("events too fast to show are counted", async () => {
  await using server = await startWatched();
  using hasty = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const buffer = new Uint8Array(1_024);
  await using viewer = await PageViewer.open(server.page.url);
  for (let count = 0; count < 1_500; count++) {
    await hasty.write(encoder.encode("1 1 +\n"));
    await hasty.read(buffer);
  }
  // The page does not claim that the server owes an answer, as it may have missed it.
  await viewer.until(({ connections }) => connections.get(1)?.lastFrom === undefined);
  hasty.close();
  await viewer.until(({ rungs }) => rungs.at(-1)?.server === "close()");
  const { rungs } = viewer;
  const skipped = rungs.reduce((sum, { skipped = 0 }) => sum + skipped, 0);
  // One accept, two calls per request, the client's end, the close.
  const { events: forgotten = 0 } = viewer.connections.get(1)?.gap ?? {};
  const counted = rungs.length + skipped + forgotten;
  assert(counted >= 3_003, `${rungs.length} shown, ${skipped} skipped, ${forgotten} forgotten`);
  assertGreater(skipped, 0);
});

Deno.test("the newest 200 connections are shown, and all are counted", async () => {
  await using server = await startWatched();
  for (let count = 0; count < 220; count++) await talk(server.port, "1 1 +\n");
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ connections }) => connections.size > 0);
  const [first] = viewer.messages;
  assertEquals(first?.total, 220);
  const ids = first?.connections.map(({ id }) => id) ?? [];
  assertEquals([ids.length, Math.min(...ids), Math.max(...ids)], [200, 21, 220]);
});

Deno.test("misbehaving clients stand out: by resets, and by why the server ended a connection", async () => {
  await using server = await startWatched({ service: "lab" });
  await using viewer = await PageViewer.open(server.page.url);
  await talk(server.port, "echo well\n");
  await talk(server.port, "reset 5\n");
  await talk(server.port, `${"x".repeat(70_000)}\n`);
  await viewer.until(({ connections }) =>
    [1, 2, 3].every((id) => connections.get(id)?.kind !== "open" && connections.has(id))
  );
  const states = [1, 2, 3].map((id) => viewer.connections.get(id))
    .map((view) => [view?.kind, view?.word]);
  assertEquals(states, [
    ["over", "closed"],
    ["bad", "reset by the server"],
    ["bad", "request too long"],
  ]);
  assertEquals(
    viewer.rungs.some(({ arrow }) => arrow?.tone === "bad" && arrow.label === "reset"),
    true,
  );
});

Deno.test("each UDP client has a ladder", async () => {
  await using server = await startWatched({ protocol: "udp" });
  await using viewer = await PageViewer.open(server.page.url);
  for (const text of ["1 2 +", "3 4 +"]) {
    const socket = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    await socket.send(encoder.encode(text), {
      hostname: "127.0.0.1",
      port: server.port,
      transport: "udp",
    });
    await socket.receive();
    socket.close();
  }
  await viewer.until(({ rungs }) => rungs.length === 4);
  assertEquals(viewer.rungs.map(({ connection, server }) => [connection, server]), [
    [1, "recvfrom(5)"],
    [1, "sendto(19)"],
    [2, "recvfrom(5)"],
    [2, "sendto(19)"],
  ]);
});

Deno.test("a relay's page shows both real endpoints, and names each fault", async () => {
  await using calc = await startCalc();
  await using page = openRelayPage({ port: 0, title: "relay" }, "tcp");
  const stop = new AbortController();
  const { backend } = await Backend.find({ hostname: "127.0.0.1", port: calc.port });
  await using relay = await startTcpRelay({
    addresses: ["127.0.0.1"],
    port: 0,
    backend,
    faults: [readFault("delay=5ms", "--fault"), readFault("reset=20", "--fault")],
    seed: 1,
    maxConnections: 10,
    emit: page.watch.see,
    notice: () => {},
  }, stop.signal);
  await talk(relay.addresses[0]?.port ?? 0, "10 20 +\n");
  await using viewer = await PageViewer.open(page.url);
  await viewer.until(({ connections }) => connections.get(1)?.kind === "bad");
  const { client, server, word } = viewer.connections.get(1)!;
  assertMatch(client, /^client 127\.0\.0\.1:\d+$/);
  assertEquals([server, word], [`server 127.0.0.1:${calc.port}`, "fault: reset"]);
  const [handshake, request] = viewer.rungs;
  assertEquals(handshake?.client, "connect()");
  assertEquals([request?.arrow?.label, request?.arrow?.faults], [String.raw`"10 20 +\n"`, [
    "delay",
  ]]);
  assertEquals(viewer.rungs.at(-1)?.arrow?.from, "between");
});

Deno.test("bytes that are not UTF-8 are shown as bytes in every place of the page", async () => {
  await using server = await startWatched({ service: "message" });
  await talk(server.port, new Uint8Array([0x04, 0xd2, 0x16, 0x2f, 0x0a]));
  await using viewer = await PageViewer.open(server.page.url);
  await viewer.until(({ rungs }) => rungs.some(({ bytes }) => bytes !== undefined));
  const rung = viewer.rungs.find(({ bytes }) => bytes !== undefined);
  const shown = String.raw`\x04\xd2\x16/\n`;
  assertEquals(rung?.arrow?.label, `"${shown}"`);
  assertEquals(rung?.arrow?.isBinary, true);
  assertEquals(rung?.bytes?.text, `${shown}\n`);
  assertStringIncludes(rung?.sentence ?? "", shown);
  for (const path of ["", "connection-1.svg"]) {
    assertStringIncludes(await (await fetch(server.page.url + path)).text(), shown);
  }
});

signalTest(
  "--page prints its URL once the server listens, and reports the server's end",
  async () => {
    await using process = new Process([...netdemoCommand, "calc-server", "--port", "0", "--page"]);
    const [, port] = await process.printed(
      /Listening on 127\.0\.0\.1:(\d+).*\nPage at http:\/\/127\.0\.0\.1:\d+\/\n/,
    );
    const [, url = ""] = await process.printed(/Page at (\S+)/);
    await using viewer = await PageViewer.open(url);
    assertStringIncludes(
      await (await fetch(url)).text(),
      `netdemo calc-client localhost:${port} 10 20 +`,
    );
    const [ended] = await Promise.all([process.stop("SIGTERM"), viewer.end()]);
    assertEquals([ended.code, ended.stderr], [0, ""]);
    assertEquals(viewer.messages.at(-1)?.stopped, "SIGTERM");
  },
);

signalTest("--page-port alone opens the page, and --json reports it as an event", async () => {
  await using process = new Process([
    ...[...netdemoCommand, "serve", "calc:0", "lab:0", "--page-port", "0", "--json"],
  ]);
  const [, url = ""] = await process.printed(/^\{"event":"page","url":"([^"]+)"\}$/m);
  const text = await (await fetch(url)).text();
  assertMatch(text, /calc \d+, lab \d+/);
  assertMatch(text, /netdemo lab-client localhost:\d+ echo Hello/);
  assertEquals((await process.stop("SIGTERM")).code, 0);
});

Deno.test("a page whose port is in use fails before anything listens", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const flags = ["--port", "0", "--page-port", String(taken.addr.port)];
  for (const command of [["calc-server"], ["relay", "127.0.0.1:9"]]) {
    const { code, stdout, stderr } = await netdemo([...command, ...flags]);
    assertEquals([code, stdout], [15, ""]);
    const [first, hint] = stderr.split("\n");
    const where = `127.0.0.1:${taken.addr.port}`;
    assertEquals(first, `netdemo: BIND: the page cannot listen on ${where}: the port is in use`);
    assertMatch(hint ?? "", /^hint: .*--page-port 0 takes a free one$/);
    assertNotEquals(stderr.includes("--port 0 "), true);
  }
});
