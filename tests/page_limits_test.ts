import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { delay } from "@std/async/delay";
import {
  netdemoCommand,
  Process,
  processorTime,
  signalTest,
  TestConnection,
  testWith,
  timing,
} from "./harness/mod.ts";

import { parseHead } from "../page/http_request.ts";
import { Turns } from "../page/turns.ts";
import { PageViewer, startWatched } from "./harness/page_viewer.ts";

/** A short patience, so that tests need not wait ten seconds. */
const PATIENCE_MS = 400;

/** Sends a request as it stands; returns all of the answer. */
async function ask(port: number, request: string): Promise<string> {
  using connection = await TestConnection.open(port);
  await connection.send(request);
  return await connection.receiveAll();
}

/** A request for a path, with more header lines. */
function get(port: number, path = "/", more = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}\r\n`;
}

/** Connects to a page without asking for anything. */
function openIdle(port: number, count: number): Promise<TestConnection[]> {
  return Promise.all(Array.from({ length: count }, () => TestConnection.open(port)));
}

/** Starts netdemo with a page; `limit` bounds its descriptors. */
async function startWithPage(
  args: readonly string[],
  { limit, env }: { readonly limit?: number; readonly env?: Record<string, string> } = {},
): Promise<AsyncDisposable & { process: Process; port: number; pagePort: number; url: string }> {
  const limited = limit === undefined ? [] : ["sh", "-c", `ulimit -n ${limit}; exec "$@"`, "sh"];
  const command = [...limited, ...netdemoCommand, ...args, "--page"];
  const process = new Process(command, { env });
  const [, port] = await process.printed(/Listening on \S+?:(\d+)/);
  const [, url = ""] = await process.printed(/Page at (\S+)/);
  const pagePort = Number(new URL(url).port);
  return {
    process,
    port: Number(port),
    url,
    pagePort,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

Deno.test("a request's head takes no longer to parse than to read, whatever it holds", () => {
  for (const fill of [" ", "\t", "a ", ":", "?", "/"]) {
    for (const start of ["GET / HTTP/1.1\r\nX: a", "GET / HTTP/1.1\r\nX", "GET /"]) {
      const head = new TextEncoder().encode(
        start + fill.repeat(32_000 / fill.length) + "b\r\n\r\n",
      );
      const before = processorTime();
      parseHead(head);
      // A millisecond; half a second if it were quadratic.
      assertLess(processorTime() - before, 200, JSON.stringify([start, fill]));
    }
  }
});

Deno.test("a request that is late, half sent or sent byte by byte is cut off", async () => {
  await using server = await startWatched({ patience: PATIENCE_MS });
  const { pagePort } = server;
  for (const start of ["", "GET / HT", get(pagePort).slice(0, -2)]) {
    assertEquals(await ask(pagePort, start), "", JSON.stringify(start));
  }
  using slow = await TestConnection.open(pagePort);
  let isOver = false;
  const over = slow.receiveAll().catch(() => "").then((text) => {
    isOver = true;
    return text;
  });
  for (const byte of get(pagePort).repeat(100)) {
    if (isOver) break;
    await slow.send(byte === "\n" ? " " : byte).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(await over, "");
});

Deno.test("what is not a request of its own gets its status, and the connection closes", async () => {
  await using server = await startWatched();
  const { pagePort } = server;
  const host = `Host: 127.0.0.1:${pagePort}`;
  const requests: readonly (readonly [status: number, request: string])[] = [
    [200, `GET / HTTP/1.1\r\n${host}\r\n\r\n`],
    [200, `GET / HTTP/1.0\r\n${host}\r\n\r\n`],
    [200, `GET /?from=a&link HTTP/1.1\n${host}\n\n`],
    [200, `\r\nGET / HTTP/1.1\r\n${host}\r\n\r\n`],
    [200, `GET /page.css HTTP/1.1\r\n${host}\r\n\r\nGET / HTTP/1.1\r\n${host}\r\n\r\n`],
    [200, `GET / HTTP/1.1\r\n${host}\r\nCookie: ${"c".repeat(16_000)}\r\n\r\n`],
    [400, `GET / HTTP/1.1\r\n${host}\r\nX : y\r\n\r\n`],
    [400, `GET / HTTP/1.1\r\n${host}\r\n folded\r\n\r\n`],
    [400, `GET http://127.0.0.1:${pagePort}/ HTTP/1.1\r\n${host}\r\n\r\n`],
    [400, `GET / HTTP/2.0\r\n${host}\r\n\r\n`],
    [400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    [400, `get / HTTP/1.1\r\n${host}\r\n\r\n`],
    [400, "\x16\x03\x01\n\n"],
    [404, `GET /../etc/passwd HTTP/1.1\r\n${host}\r\n\r\n`],
    [404, `GET /__proto__ HTTP/1.1\r\n${host}\r\n\r\n`],
    [405, `HEAD / HTTP/1.1\r\n${host}\r\n\r\n`],
    [405, `POST / HTTP/1.1\r\n${host}\r\nContent-Length: 5\r\n\r\nhello`],
    [421, "GET / HTTP/1.1\r\n\r\n"],
    [421, `GET / HTTP/1.1\r\n${host}\r\n${host}\r\n\r\n`],
    [421, `GET / HTTP/1.1\r\nHost: evil.example:${pagePort}\r\n\r\n`],
    [431, `GET / HTTP/1.1\r\n${host}\r\nCookie: ${"c".repeat(40_000)}\r\n\r\n`],
  ];
  for (const [status, request] of requests) {
    const answer = await ask(pagePort, request);
    assertMatch(answer, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(request.slice(0, 99)));
    assertEquals(answer.match(/HTTP\/1\.1 /g)?.length, 1, "only the first request is answered");
    const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
    assertEquals(body === "", request.startsWith("HEAD"), request.slice(0, 20));
  }
});

Deno.test("a browser gets the page though 130 connections say nothing", async () => {
  await using server = await startWatched({ patience: 60_000 });
  using stack = new DisposableStack();
  for (const idle of await openIdle(server.pagePort, 130)) stack.use(idle);
  const start = performance.now();
  assertMatch(await ask(server.pagePort, get(server.pagePort)), /^HTTP\/1\.1 200 /);
  assert(performance.now() - start < 30_000, "it had to wait for their timeouts");
});

Deno.test("other work gets turns while long works run piece by piece", async () => {
  const turns = new Turns();
  let others = 0;
  const timer = setInterval(() => others++, 0);
  const works = Array.from({ length: 3 }, async () => {
    for (let piece = 0; piece < 10; piece++) {
      await turns.run(() => {
        const end = performance.now() + 6; // more than a slice
        while (performance.now() < end);
      });
    }
  });
  await Promise.all(works);
  clearInterval(timer);
  assertGreater(others, 20);
});

testWith([timing], "20 clients that load a page of megabytes do not hold others up", async () => {
  await using server = await startWatched({ service: "lab" });
  using client = await TestConnection.open(server.port);
  const request = `echo ${"<&>".repeat(1_300)}\n`;
  for (let count = 0; count < 1_000; count++) {
    await client.send(request);
    await client.receiveLines(1);
  }
  // In a process of their own, so that reading does not hold this one up.
  await using browsers = new Process([
    ...[Deno.execPath(), "eval", "--quiet"],
    `await Promise.all(Array.from({ length: 20 }, async () => {
      const { status, body } = await fetch(${JSON.stringify(server.page.url)});
      let bytes = 0;
      for await (const chunk of body) bytes += chunk.length;
      console.log(status, bytes);
    }));`,
  ]);
  let areLoading = true;
  const loaded = browsers.ended().finally(() => areLoading = false);
  const times: number[] = [];
  while (areLoading) {
    const start = performance.now();
    await client.send("echo hello\n");
    await client.receiveLines(1);
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { stdout } = await loaded;
  const sizes = [...stdout.matchAll(/^200 (\d+)$/gm)].map(([, bytes]) => Number(bytes));
  assertEquals(sizes.length, 20, stdout);
  assertGreater(Math.min(...sizes), 3_000_000);
  times.sort((one, other) => one - other);
  const p90 = times[Math.floor(times.length * 0.9)] ?? Infinity;
  assert(p90 < 100, `p90 ${p90} ms, maximum ${times.at(-1)} ms of ${times.length}`);
});

/** The commands that have a page. */
const programs: readonly (readonly string[])[] = [
  ["message-server", "--port", "0"],
  ["calc-server", "--port", "0"],
  ["lab-server", "--port", "0"],
  ["serve", "hello:0", "calc:0"],
  ["relay", "--port", "0", "localhost:9"],
];

signalTest(
  "viewers that do not read, and requests half sent, don't turn a stop into a failure",
  async () => {
    await Promise.all(programs.map(async (args) => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        await using watched = await startWithPage(args);
        const { process, pagePort } = watched;
        using stack = new DisposableStack();
        const paths = ["/events", "/", "/page.css", "/events"];
        for (const request of [...paths.map((path) => get(pagePort, path)), "GET / HT", ""]) {
          const deaf = stack.use(await TestConnection.open(pagePort));
          await deaf.send(request);
        }
        await using reads = await PageViewer.open(watched.url);
        await reads.until(({ messages }) => messages.length > 0);
        const [{ code, stderr }] = await Promise.all([process.stop(signal), reads.end()]);
        assertEquals({ args, code, stderr }, { args, code: 0, stderr: "" });
      }
    }));
  },
);

signalTest("a stop at any moment of a viewer's visit is a clean one", async () => {
  await Promise.all(Array.from({ length: 8 }, async (_, moment) => {
    await using watched = await startWithPage(["calc-server", "--port", "0"]);
    const { process, pagePort } = watched;
    const visits = Array.from({ length: 10 }, async () => {
      using visitor = await TestConnection.open(pagePort);
      const half = get(pagePort, "/events");
      await visitor.send(half.slice(0, 10));
      await visitor.send(half.slice(10));
      await visitor.receiveAll();
    });
    await Promise.race([Promise.allSettled(visits), delay(moment * 3)]);
    const { code, stderr } = await process.stop();
    assertEquals({ moment, code, stderr }, { moment, code: 0, stderr: "" });
    await Promise.allSettled(visits);
  }));
});

signalTest("what the runtime's variables say does not matter to the page", async () => {
  const folder = await Deno.makeTempDir();
  for (const place of ["tcp:0.0.0.0:0", `unix:${folder}/page.sock`, "nonsense"]) {
    const env = { DENO_SERVE_ADDRESS: place };
    await using watched = await startWithPage(["calc-server", "--port", "0"], { env });
    const { url, pagePort, process } = watched;
    assertEquals(url, `http://127.0.0.1:${pagePort}/`);
    assertMatch(await ask(pagePort, get(pagePort)), /^HTTP\/1\.1 200 /);
    const forged = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    assertMatch(await ask(pagePort, forged), /^HTTP\/1\.1 421 /);
    // Also loopback, but not the page's address.
    if (Deno.build.os === "linux") {
      await assertRejects(() => TestConnection.open(pagePort, "127.0.0.2"));
    }
    assertEquals((await process.stop()).code, 0);
  }
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

signalTest(
  "a page whose process runs out of descriptors serves again once clients leave",
  async () => {
    for (const limit of [64, 256]) {
      for (const args of [programs[1] ?? [], programs[4] ?? []]) {
        await using watched = await startWithPage(args, { limit });
        const { process, pagePort, port } = watched;
        const idle = await openIdle(pagePort, 231);
        const clients = args.includes("relay") ? [] : await openIdle(port, 300);
        for (const connection of [...idle, ...clients]) connection[Symbol.dispose]();
        assertMatch(await ask(pagePort, get(pagePort)), /^HTTP\/1\.1 200 /, `${args} at ${limit}`);
        assertEquals((await process.stop()).code, 0);
      }
    }
  },
);
