/** The check command on loopback: expectations, exit codes, flags and reports. */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
} from "@std/assert";
import type { EventOf } from "../cli/output/events.ts";
import { challengeOf } from "../clients/challenge.ts";
import { NetworkClock } from "../commands/check/probe/network_clock.ts";
import { probe } from "../commands/check/probe/probe.ts";
import { calculate } from "../protocol/calculator.ts";
import { service as calc } from "../services/calc.ts";
import { service as hello } from "../services/hello.ts";
import { service as lab } from "../services/lab.ts";
import { service as message } from "../services/message.ts";
import { serveUdp } from "../services/server/datagram_server.ts";
import { serve, serveUnix } from "../services/server/stream_server.ts";
import {
  type Ended,
  linux,
  manyConnections,
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  python,
  python3,
  run,
  signalTest,
  testWith,
  unix,
} from "./harness/mod.ts";
import {
  answering,
  forever,
  pause,
  request,
  type RunningPeer,
  send,
  startDatagrams,
  startFullQueue,
  startNobody,
  startStreams,
} from "./harness/peers.ts";
import { readTap, readXml } from "./harness/report_readers.ts";
import { session } from "./harness/terminal_session.ts";

const check = (...args: readonly string[]): Promise<Ended> => netdemoInProcess(["check", ...args]);

/** What check reports with `--json`. */
async function checkJson(...args: readonly string[]) {
  const { code, stdout, stderr } = await check("--json", ...args);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const summary = events.find(({ event }) => event === "summary");
  const probes: EventOf<"probe">[] = events.filter(({ event }) => event === "probe");
  return { code, stderr, probes, events, summary: summary as EventOf<"summary"> };
}

const HOST = "127.0.0.1";

/** How a port is asked that resets all connections, and what that shows. */
const resets = [
  ["", "", "reset"],
  ["", "/open", "open"], // the handshake was completed
  ["http://", "/", "reset"],
  ["tls://", "", "reset"],
  ["tls://", "/open", "reset"],
] as const;
const honest = answering((text) => `${calculate(text)}\n`);
const startHonest = (host = HOST): Promise<RunningPeer> => startStreams(host, honest);
const startSilent = (): Promise<RunningPeer> => startStreams(HOST, () => forever);
const startClosing = (): Promise<RunningPeer> => startStreams(HOST, () => Promise.resolve());

Deno.test("netdemo's own services are ok over TCP and UDP, and the report says what that proves", async () => {
  await using tcp = await serve(calc, { port: 0 });
  await using udp = await serveUdp(calc, { port: 0 });
  await using greeter = await serve(hello, { port: 0 });
  await using greeterUdp = await serveUdp(hello, { port: 0 });
  await using thanks = await serve(message, { port: 0 });
  await using laboratory = await serve(lab, { port: 0 });
  await using laboratoryUdp = await serveUdp(lab, { port: 0 });
  const { code, stdout, stderr } = await check(
    `localhost:${tcp.port}`,
    `udp://localhost:${udp.port}/calc`,
    `:${greeter.port}/hello`,
    `udp://:${greeterUdp.port}/hello`,
    `:${thanks.port}/message`,
    `:${thanks.port}/open`,
    `:${laboratory.port}/lab`,
    `udp://:${laboratoryUdp.port}/lab`,
  );
  assertEquals([code, stderr], [0, ""]);
  const rows = stdout.trimEnd().split("\n");
  const caveats = rows.map((row) => /\((.*)\)$/.exec(row)?.[1] ?? "");
  assert(rows.every((row) => /^ok .* (?:ok|open) +(?:connect|reply) \d/.test(row)), stdout);
  const canned = "it is there; a canned reply looks the same";
  assertEquals(caveats, [
    ...["", "", "", ""], // calc over TCP on both addresses, over UDP on both
    ...Array(2).fill("a forwarder without a server closes as well"),
    ...Array(2).fill("an echo looks the same"),
    ...Array(2).fill(canned),
    ...["", ""],
    ...["", "", "", ""],
  ]);
});

testWith([unix], "check reaches a Unix socket by its path", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/calc.sock`;
  try {
    const server = await serveUnix(calc, { path });
    const { code, probes } = await checkJson(`unix:${path}`);
    assertEquals([code, probes[0]?.remote, probes[0]?.protocol], [0, path, "unix"]);
    const named = await checkJson(`unix:${path}/open`, `open=unix:${path}`, `unix:${path}/calc`);
    assertEquals(named.probes.map(({ verdict }) => verdict), ["open", "open", "ok"]);
    await server[Symbol.asyncDispose]();
    assertEquals((await check(`unix:${path}`)).code, 11);
    const refused = await check(`refused=unix:${path}`);
    assertEquals(refused.code, 0);
    assertMatch(
      refused.stderr,
      /^note: nothing answered at .*: a typo in the path looks the same$/m,
    );
    // Named like a service, but in a folder: it is the socket's own name.
    const lab = await serveUnix(calc, { path: `${folder}/lab` });
    assertEquals((await check(`unix:${folder}/lab`, `unix:${folder}/lab/open`)).code, 0);
    await lab[Symbol.asyncDispose]();
    const tooLong = await check(`unix:${folder}/${"x".repeat(200)}`);
    assertEquals(tooLong.code, 1);
    assertMatch(tooLong.stdout, /error +connect: the path is too long for a socket/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Peers, each with the exit code and the word that a check of it ends with. */
const endings: readonly (readonly [string, () => Promise<RunningPeer>, number, string])[] = [
  ["wrong", () => startStreams(HOST, answering(() => "220 mail\n")), 1, "ERROR"],
  ["silent", startSilent, 124, "TIMEOUT"],
  ["closed", startClosing, 14, "CLOSED"],
  ["reset", () => startStreams(HOST, (it) => Promise.resolve(it.reset?.())), 13, "RESET"],
  ["refused", () => startNobody(HOST), 11, "REFUSED"],
];

for (const [verdict, start, exitCode, word] of endings) {
  Deno.test(`${verdict} exits with ${exitCode} and ${word}; if expected, with 0`, async () => {
    await using peer = await start();
    const target = `${HOST}:${peer.port}`;
    const found = await check(target, "--timeout", "300ms");
    assertEquals(found.code, exitCode, found.stderr);
    assertMatch(found.stdout, new RegExp(`^NOT  ${target} ${HOST}  ${verdict}  `));
    assertMatch(
      found.stderr,
      new RegExp(`^netdemo: ${word}: ${target} is not as expected\nhint: `),
    );
    const expected = await check(`${verdict}=${target}`, "--timeout", "300ms");
    assertEquals(expected.code, 0, expected.stderr);
    assertMatch(expected.stdout, new RegExp(`^ok   ${verdict}=${target} `));
  });
}

Deno.test("an open port does not count as a service, and an unexpected service exits with 1", async () => {
  await using server = await startHonest();
  await using silent = await startSilent();
  const at = (peer: RunningPeer): string => `${HOST}:${peer.port}`;
  assertEquals((await check(`${at(silent)}/open`)).code, 0);
  assertEquals((await check(`open=${at(silent)}`)).code, 0);
  assertEquals((await check(`refused=${at(server)}`)).code, 1);
  assertEquals((await check(`blocked=${at(silent)}/open`)).code, 1);
});

Deno.test("an ok that takes longer than --slower-than is slow, which can be expected", async () => {
  await using peer = await startStreams(HOST, async (stream) => {
    const text = await request(stream);
    await pause(250); // the time in which this process is busy does not count
    await send(stream, `${calculate(text)}\n`);
  });
  const target = `${HOST}:${peer.port}`;
  const { code, probes } = await checkJson(target, "--slower-than", "50ms");
  assertEquals([code, probes[0]?.verdict], [1, "slow"]);
  assertGreaterOrEqual(probes[0]?.elapsedMs ?? 0, 50);
  assertEquals((await check(`slow=${target}`, "--slower-than", "50ms")).code, 0);
  assertEquals((await check(target, "--slower-than", "30s")).code, 0);
  const fast = await check(`slow=${target}`, "--slower-than", "30s");
  assertMatch(fast.stderr, /\nhint: it takes no longer than --slower-than allows\n/);
});

Deno.test("a name that does not resolve is dns with exit code 10, and never counts as blocked", async () => {
  const target = "no-such-host.invalid:4040";
  const found = await checkJson(target, "--timeout", "10s");
  assertEquals([found.code, found.probes[0]?.verdict, found.summary.failure], [10, "dns", "DNS"]);
  assertEquals(found.probes[0]?.remote, undefined);
  assertEquals((await check(`dns=${target}`)).code, 0);
  assertEquals((await check(`blocked=${target}`)).code, 10);
});

Deno.test("the exit code is that of the first failing target in the order given, however late it ends", async () => {
  await using silent = await startSilent();
  await using closing = await startClosing();
  await using server = await startHonest();
  const args = [server, silent, closing].map(({ port }) => `${HOST}:${port}`);
  const { code, stderr, summary } = await checkJson(...args, "--timeout", "200ms");
  assertEquals(code, 124);
  assertMatch(stderr, /^netdemo: TIMEOUT: 2 of 3 targets are not as expected: /);
  assertEquals(
    [summary.ok, summary.targets, summary.asExpected, summary.exitCode, summary.failure],
    [false, 3, 1, 124, "TIMEOUT"],
  );
});

Deno.test("the report has the phases that were reached, and no others", async () => {
  await using silent = await startSilent();
  await using server = await startHonest();
  await using nobody = await startNobody(HOST);
  const [ok, silence, refused] = (await checkJson(
    ...[server, silent, nobody].map(({ port }) => `${HOST}:${port}`),
    "--timeout",
    "200ms",
  ))
    .probes;
  const phases = (probe: EventOf<"probe"> | undefined) =>
    ["resolveMs", "connectMs", "sendMs", "replyMs"].filter((name) => name in (probe ?? {}));
  assertEquals(phases(ok), ["connectMs", "sendMs", "replyMs"]);
  assertEquals(phases(silence), ["connectMs", "sendMs", "replyMs"]);
  assertEquals(phases(refused), ["connectMs"]);
  assertEquals([ok?.phase, silence?.phase, refused?.phase], ["reply", "reply", "connect"]);
  assertEquals(refused?.errno, "ECONNREFUSED");
});

Deno.test("each probe asks a new question, over a connection of its own", async () => {
  const asked: string[] = [];
  let connections = 0;
  await using peer = await startStreams(HOST, async (stream) => {
    connections++;
    const text = await request(stream);
    asked.push(text);
    await send(stream, `${calculate(text)}\n`);
  });
  const target = `${HOST}:${peer.port}`;
  assertEquals((await check(target, target, "--count", "3", "--every", "0")).code, 0);
  assertEquals([connections, new Set(asked).size], [6, 6]);
  assert(asked.every((text) => /^\d{20} \d{20} \+$/.test(text)), asked.join("\n"));
});

Deno.test("--for ends soon after the service comes up", async () => {
  let tries = 0;
  let upAt = Infinity;
  await using peer = await startStreams(HOST, async (stream) => {
    if (++tries < 3) return; // not up yet: closes
    upAt = Math.min(upAt, performance.now());
    await send(stream, `${calculate(await request(stream))}\n`);
  });
  const { code, probes } = await checkJson(`${HOST}:${peer.port}`, "--for", "10s");
  assertEquals(code, 0);
  assertLess(performance.now() - upAt, 1_000);
  assertEquals(probes.map((probe) => probe.verdict), ["closed", "closed", "ok"]);
  assertEquals(probes.map((probe) => probe.try), [1, 2, 3]);
});

Deno.test("--for finds a service that was silent, though an earlier try is still waiting", async () => {
  let asked = 0;
  await using peer = await startStreams(HOST, async (stream) => {
    if (++asked <= 2) await forever;
    await send(stream, `${calculate(await request(stream))}\n`);
  });
  const started = performance.now();
  assertEquals((await check(`${HOST}:${peer.port}`, "--for", "10s")).code, 0);
  assertLess(performance.now() - started, 4_000); // no 5 s timeout ran out
});

Deno.test("--for waits for a block as it does for a service", async () => {
  const peer = await startStreams(HOST, async (stream) => {
    await send(stream, `${calculate(await request(stream))}\n`);
    setTimeout(() => void peer[Symbol.asyncDispose](), 50);
  });
  const { code, probes } = await checkJson(`refused=${HOST}:${peer.port}`, "--for", "10s");
  assertEquals([code, probes.at(0)?.verdict, probes.at(-1)?.verdict], [0, "ok", "refused"]);
});

Deno.test("--for gives up in time, with its last finding", async () => {
  await using silent = await startSilent();
  await using closing = await startClosing();
  for (const [peer, code] of [[silent, 124], [closing, 14]] as const) {
    const started = performance.now();
    assertEquals((await check(`${HOST}:${peer.port}`, "--for", "400ms")).code, code);
    const took = performance.now() - started;
    assertGreaterOrEqual(took, 390);
    assertLess(took, 4_000); // no 5 s timeout ran out
  }
});

Deno.test("--for requires all targets to be as expected in the same try", async () => {
  // Only one of the two is up at a time: an earlier success of the other must not count.
  let turn = 0;
  const alternating = (mine: number): Promise<RunningPeer> =>
    startStreams(HOST, async (stream) => {
      if (turn++ % 4 < 2 === (mine === 0)) await honest(stream, { previous: "" });
    });
  await using one = await alternating(0);
  await using other = await alternating(1);
  const { code } = await check(`${HOST}:${one.port}`, `${HOST}:${other.port}`, "--for", "900ms");
  assertEquals(code, 14);
});

Deno.test("--count counts lost replies and how long the others took", async () => {
  let asked = 0;
  await using peer = await startStreams(HOST, async (stream) => {
    const text = await request(stream);
    if (++asked % 4 === 0) return; // every fourth is closed without a reply
    await pause(asked === 1 ? 80 : 20);
    await send(stream, `${calculate(text)}\n`);
  });
  const args = [`${HOST}:${peer.port}`, "--count", "8", "--every", "10ms"];
  const { code, events, probes } = await checkJson(...args);
  assertEquals(code, 14);
  assertEquals(probes.map((probe) => probe.try), [1, 2, 3, 4, 5, 6, 7, 8]);
  const statistics: EventOf<"statistics"> = events.find(({ event }) => event === "statistics");
  const { tries, triesAsExpected, verdicts, loss, reply, connect } = statistics;
  assertEquals({ tries, triesAsExpected, verdicts, loss }, {
    tries: 8,
    triesAsExpected: 6,
    verdicts: { ok: 6, closed: 2 },
    loss: 0.25,
  });
  assertGreaterOrEqual(reply?.p50Ms ?? 0, 19);
  assertGreaterOrEqual(reply?.p95Ms ?? 0, 79);
  assertEquals(reply?.p95Ms, reply?.maxMs); // of six, the nearest rank is the last
  assertGreater(connect?.p50Ms ?? 0, 0);

  asked = 0;
  const { stdout } = await check(...args);
  assertMatch(stdout, /closed +8 tries: 6 ok, 2 closed; loss 25\.0%\n {6}first +reply: accepted/);
  assertMatch(stdout, /\n {6}reply +p50 [\d.]+ +p95 [\d.]+ +p99 [\d.]+ +max [\d.]+ ms\n$/);
});

testWith([unix, python3], "a reset is the same, whichever call of the probe meets it", async () => {
  await using peer = new Process([python(), `${import.meta.dirname}/harness/resetting.py`]);
  const [, port] = await peer.printed(/(\d+)\n/);
  // While it connects, writes or reads: which, differs from try to try.
  const flags = ["--count", "120", "--every", "0s"];
  for (const [start, service, verdict] of resets) {
    const { events } = await checkJson(`${start}${HOST}:${port}${service}`, ...flags);
    const { verdicts } = events.find(({ event }) => event === "statistics");
    assertEquals(verdicts, { [verdict]: 120 }, start + service);
  }
});

Deno.test("--every is the time from the start of one try to the next", async () => {
  await using server = await startHonest();
  const started = performance.now();
  await check(`${HOST}:${server.port}`, "--count", "4", "--every", "100ms");
  assertGreaterOrEqual(performance.now() - started, 299);
});

signalTest("Ctrl-C ends --count with the counts so far", async () => {
  await using server = await startHonest();
  const args = ["check", `${HOST}:${server.port}`, "--count", "1000", "--every", "50ms", "--json"];
  await using process = new Process([...netdemoCommand, ...args]);
  await process.printed(/"try":3,/);
  const { code, stdout } = await process.stop("SIGINT");
  assertEquals(code, 0);
  const { tries } = JSON.parse(/^.*"statistics".*$/m.exec(stdout)?.[0] ?? "");
  assert(tries >= 3 && tries < 500, `${tries} tries`);
});

signalTest("Ctrl-C ends a waiting check with exit code 130, as shells expect", async () => {
  await using nobody = await startNobody(HOST);
  const args = ["check", `${HOST}:${nobody.port}`, "--for", "60s", "--json"];
  await using process = new Process([...netdemoCommand, ...args]);
  await process.printed(/"try":2,/);
  assertEquals((await process.stop("SIGINT")).code, 130);
});

testWith([unix], "under a low limit on open files, targets are probed in turn", async () => {
  await using server = await startHonest();
  const targets = `${HOST}:${server.port}\n`.repeat(300);
  const command = [...netdemoCommand, "check", "--targets", "-", "--json"];
  const limited = ["sh", "-c", 'ulimit -n 80; exec "$@"', "sh", ...command];
  const { code, stdout, stderr } = await run(limited, { stdin: targets });
  assertEquals(code, 0, stderr);
  assertEquals(stdout.match(/"verdict":"ok"/g)?.length, 300);
});

/** How long each probe may wait: the kernel refuses at once, a server may be held up itself. */
const patience = [["ok", startHonest, "4s"], ["refused", startNobody, "300ms"]] as const;

for (const [verdict, startPeer, timeout] of patience) {
  testWith(
    [manyConnections],
    `thousands of probes are all ${verdict}, whatever waits in this process`,
    async () => {
      await using peer = await startPeer(HOST);
      const targets = `${verdict}=${HOST}:${peer.port}\n`.repeat(6_000);
      const args = ["check", "--targets", "-", "--timeout", timeout, "--json"];
      const { code, stdout } = await netdemo(args, targets);
      const found = stdout.match(/"verdict":"\w+"/g) ?? [];
      assertEquals([code, found.length, new Set(found).size], [0, 6_000, 1]);
    },
  );
}

testWith([python3], "at a terminal, a long check shows how far it is", async () => {
  await using server = await startHonest();
  await using silent = await startSilent();
  const targets = [server, silent].map(({ port }) => `${HOST}:${port}`);
  const command = [...netdemoCommand, "check", ...targets, "--timeout", "3s"];
  const screen = await session(command, [
    ["see", "checked 1 of 2 targets"],
    ["see", "checked all 2 targets"],
    ["see", "silent"],
  ]);
  assertMatch(screen, /124\n?$/);
});

Deno.test("what this process was too busy to see is no statement on the target", async () => {
  await using silent = await startSilent();
  using clock = new NetworkClock();
  const probing = probe({
    protocol: "tcp",
    remote: { hostname: HOST, port: silent.port },
    challenge: challengeOf("x", { expected: "y" }, { fresh: false }),
    timeout: 400,
    clock,
  });
  // Far beyond its timeout, as if the machine had slept: that is not the peer's silence.
  await pause(50);
  const wakesAt = performance.now() + 1_000;
  while (performance.now() < wakesAt);
  const looked = clock.time;
  const { ending, busyMs } = await probing;
  assertEquals(ending, { how: "failed", phase: "reply", kind: "TIMEOUT" });
  assertGreater(busyMs, 800);
  assertGreaterOrEqual(clock.time - looked, 340); // timers of Windows may be early
});

Deno.test("--sizes finds where requests stop being answered", async () => {
  await using tcp = await startStreams(HOST, async (stream) => {
    const text = await request(stream);
    if (text.length + 1 > 5_000) await forever;
    await send(stream, `${calculate(text)}\n`);
  });
  await using udp = await startDatagrams(HOST, async (text, reply) => {
    if (text.length + 1 <= 3_333) await reply(`${calculate(text)}\n`);
  });
  const targets = [`${HOST}:${tcp.port}`, `udp://${HOST}:${udp.port}`];
  const args = ["--sizes", "3000..5100", "--timeout", "150ms"];
  const { code, events, stderr } = await checkJson(...targets, ...args);
  assertEquals(code, 124);
  assertMatch(stderr, /\nhint: only large requests are lost: look for a link with a smaller MTU/);
  assertEquals(
    events.filter(({ event }) => event === "sizes").map((it) => [it.passedBytes, it.failedBytes]),
    [[5_000, 5_001], [3_333, 3_334]],
  );
  // A server that answers every size shows no limit, whichever service it runs.
  await using server = await serve(calc, { port: 0, addresses: [HOST] });
  await using thanks = await serve(message, { port: 0, addresses: [HOST] });
  await using laboratory = await serve(lab, { port: 0, addresses: [HOST] });
  const whole = await check(
    ...[`${HOST}:${server.port}`, `${HOST}:${thanks.port}/message`],
    ...[`${HOST}:${laboratory.port}/lab`, "--sizes", "1..65537"],
  );
  assertEquals(whole.code, 0, whole.stdout);
  assertEquals(whole.stdout.match(/all sizes up to 65537 bytes pass/g)?.length, 3);
});

Deno.test("--sizes ignores a datagram that is lost only once", async () => {
  const seen = new Set<number>();
  await using udp = await startDatagrams(HOST, async (text, reply) => {
    if (seen.has(text.length)) await reply(`${calculate(text)}\n`);
    seen.add(text.length);
  });
  const args = [`udp://${HOST}:${udp.port}`, "--sizes", "1000..2000", "--timeout", "150ms"];
  assertEquals((await check(...args)).code, 0);
});

/** A server that answers `ECHO word` as Redis does. */
const startEcho = (): Promise<RunningPeer> =>
  startStreams(HOST, async (stream) => {
    const [, word = "", rest = ""] = /^(\w+) ?(.*)$/.exec(await request(stream)) ?? [];
    await send(stream, word === "ECHO" ? `$16\r\n${rest}\r\n` : "-ERR unknown\r\n");
    await forever;
  });
const startBanner = (text: string | Uint8Array): Promise<RunningPeer> =>
  startStreams(HOST, async (stream) => {
    await send(stream, text);
    await forever;
  });
const ECHO = ["--send", "ECHO {nonce}", "--reply", "$16\\n{nonce}"];

Deno.test("--send and --reply check any service that answers with bytes", async () => {
  await using echo = await startEcho();
  await using ssh = await startBanner("SSH-2.0-Test\r\n");
  await using postgres = await startBanner("S");
  const target = `${HOST}:${echo.port}`;
  const asked = (...args: readonly string[]) => check(target, "--timeout", "500ms", ...args);
  assertEquals((await asked(...ECHO)).code, 0);
  assertEquals((await asked("--send", "ECHO {nonce}\\n", "--reply", "$16\\n{nonce}\\n")).code, 0);
  const wrong = await asked("--send", "PING {nonce}", "--reply", "{nonce}");
  assertEquals(wrong.code, 1);
  assertMatch(wrong.stdout, /reply: "-ERR unknown", not "\w{16}"/);
  const banner = await check(`${HOST}:${ssh.port}`, "--reply", "SSH-2.0{...}");
  assertEquals(banner.code, 0);
  assertMatch(banner.stdout, /a canned reply looks the same/);
  const ssl = ["--send", "\\x00\\x00\\x00\\x08\\x04\\xd2\\x16\\x2f", "--reply", "S"];
  assertEquals((await check(`${HOST}:${postgres.port}`, ...ssl)).code, 0);
  // A target that names its service gets that service's question.
  const both = [...ECHO, "--timeout", "300ms"];
  const calculator = await check(target, `${target}/calc`, ...both);
  assertEquals(calculator.code, 1);
  assertMatch(calculator.stderr, /1 of 2 targets is not as expected: .*\/calc/);
});

Deno.test("bytes that are not UTF-8 are shown as bytes, and the hint fits the question", async () => {
  await using web = await startBanner(
    new Uint8Array([...new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\ncaf"), 0xe9]),
  );
  const target = `${HOST}:${web.port}`;
  const asked = await check(target, "--timeout", "300ms");
  assertMatch(asked.stdout, /wrong +reply: "HTTP\/1\.1 200 OK", not "Sum of/);
  const own = (...args: readonly string[]) => check(target, "--timeout", "300ms", ...args);
  const wrong = await own("--reply", "HTTP/1.1 404{...}");
  assertMatch(wrong.stdout, /reply: "HTTP\/1\.1 200 OK\\r\\n\\r\\ncaf\\xe9", not "HTTP\/1\.1 404/);
  assertMatch(wrong.stderr, /hint: it answers, but not as --reply says/);
  const more = await own("--reply", "200 OK");
  assertMatch(more.stderr, /hint: .*write --reply "\{\.\.\.\}200 OK\{\.\.\.\}"\n/);
  assertEquals((await own("--reply", "{...}200 OK{...}")).code, 0);
  // What is too long to be read whole is said to be.
  await using flood = await startStreams(HOST, async (stream) => {
    while (true) await send(stream, new Uint8Array(65_536).fill(0x78));
  });
  const cut = await check(`${HOST}:${flood.port}`, "--reply", "{...}ready{...}");
  assertMatch(cut.stdout, /wrong +reply: "x+\.\.\.", of which \d{7} bytes were read, not "/);
});

Deno.test("a request that waits for an empty line gets a hint that names it", async () => {
  await using web = await startStreams(HOST, async (stream) => {
    const buffer = new Uint8Array(1_024);
    let text = "";
    while (!text.endsWith("\r\n\r\n")) {
      const count = await stream.read(buffer);
      if (count === null) return;
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    await send(stream, "HTTP/1.0 200 OK\r\n\r\n");
  });
  const target = `${HOST}:${web.port}`;
  const ask = (text: string) =>
    check(target, "--send", text, "--reply", "HTTP/1.0 200 OK{...}", "--timeout", "300ms");
  const stuck = await ask("GET / HTTP/1.0");
  assertEquals(stuck.code, 124);
  const [, line = ""] = /hint: .* --send "(.*)"\n/.exec(stuck.stderr) ?? [];
  assertEquals((await ask(line)).code, 0, stuck.stderr);
});

Deno.test("a question holds for the targets after it, or after the last for all", async () => {
  await using echo = await startEcho();
  await using ssh = await startBanner("SSH-2.0-Test\r\n");
  await using server = await startHonest();
  const at = ({ port }: RunningPeer): string => `${HOST}:${port}`;
  const greeting = ["--reply", "SSH-2.0{...}"];
  const limit = ["--timeout", "500ms"];
  assertEquals(
    (await check(at(server), ...ECHO, at(echo), ...greeting, at(ssh), ...limit)).code,
    0,
  );
  assertEquals((await check(at(echo), at(echo), ...ECHO, ...limit)).code, 0);
  const late = await check(...ECHO, at(echo), ...greeting, ...limit);
  assertEquals(late.code, 2);
  assertMatch(late.stderr, /no target comes after the last question/);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(
      file,
      `${at(server)}  # calc
--send 'ECHO {nonce}' --reply "$16\\n{nonce}"
${at(echo)}
${at(ssh)} --reply SSH-2.0{...}  # for this line alone
${at(echo)}
${at(server)}/calc
`,
    );
    const { code, probes } = await checkJson("--targets", file, ...limit);
    assertEquals([code, probes.map(({ service }) => service)], [
      0,
      ["calc", "custom", "custom", "custom", "calc"],
    ]);
    await Deno.writeTextFile(file, "a:1\nb:2 --sned x\n");
    const wrong = await check("--targets", file);
    assert(wrong.stderr.includes(`${file}:2: unknown flag --sned`), wrong.stderr);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a probe that was aborted before its turn ends at once", async () => {
  await using silent = await startDatagrams(HOST, () => Promise.resolve());
  const startedAt = performance.now();
  using clock = new NetworkClock();
  const seen = await probe({
    protocol: "udp",
    remote: { hostname: HOST, port: silent.port },
    challenge: challengeOf("x", { expected: "y" }, { fresh: false }),
    timeout: 5_000,
    clock,
    signal: AbortSignal.abort(),
  });
  assertEquals(seen.ending.how, "failed");
  assertLess(performance.now() - startedAt, 1_000);
});

testWith(
  [linux],
  "a block without a control gets a note, and --strict makes it a failure",
  async () => {
    await using full = await startFullQueue(HOST);
    await using server = await startHonest();
    const block = `blocked=${HOST}:${full.port}`;
    const check = (...args: string[]) => netdemoInProcess(["check", ...args, "--timeout", "200ms"]);
    const alone = await check(block);
    assertEquals(alone.code, 0);
    assertEquals(
      alone.stderr,
      `note: nothing answered at ${HOST} in this run: a host that is off looks the same\n`,
    );
    const strict = await check(block, "--strict");
    assertEquals(strict.code, 1);
    assertMatch(strict.stdout, /^NOT .*; no positive control\n$/);
    assertEquals((await checkJson(block, "--timeout", "200ms")).probes[0]?.control, false);
    // Any answer from that address shows that the host is on, even one that is not as expected.
    await using nobody = await startNobody(HOST);
    await using web = await startStreams(HOST, answering(() => "HTTP/1.1 400 Bad Request\n"));
    for (const other of [`:${server.port}`, `refused=:${nobody.port}`, `wrong=:${web.port}`]) {
      const target = other.replace(":", `${HOST}:`);
      const controlled = await check(block, target, "--strict");
      assertEquals([controlled.code, controlled.stderr], [0, ""], target);
    }
  },
);

Deno.test("a refusal is an answer, so it needs no control", async () => {
  await using nobody = await startNobody(HOST);
  for (const expect of ["refused", "blocked"]) {
    const { code, stderr } = await check(`${expect}=${HOST}:${nobody.port}`, "--strict");
    assertEquals([code, stderr], [0, ""]);
  }
});

Deno.test("TAP and JUnit reports have a result for each address, with the verdict as failure type", async () => {
  await using server = await startHonest();
  await using closing = await startClosing();
  const folder = await Deno.makeTempDir();
  try {
    const targets = [`${HOST}:${server.port}`, `${HOST}:${closing.port}`];
    const args = [...targets, "--tap", "--junit", `${folder}/report.xml`];
    const { code, stdout } = await check(...args);
    assertEquals(code, 14);
    const { points, ok, planned, errors } = readTap(stdout);
    assertEquals([ok, planned, errors], [false, 2, []]);
    assertEquals(points.map(({ ok, name }) => [ok, name]), [
      [true, `${targets[0]} is ok`],
      [false, `${targets[1]} is ok`],
    ]);
    assertEquals(points[1]?.diag?.type, "closed");
    const elements = readXml(await Deno.readTextFile(`${folder}/report.xml`));
    const cases = elements.filter(({ name }) => name === "testcase");
    assertEquals(cases.map(({ attributes }) => attributes.name), points.map(({ name }) => name));
    const failures = elements.filter(({ name }) => name === "failure");
    assertEquals(failures.map(({ attributes }) => attributes.type), ["closed"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("--targets reads a file or stdin, and names a wrong line", async () => {
  await using server = await startHonest();
  await using nobody = await startNobody(HOST);
  const lines =
    `# what must hold\n${HOST}:${server.port}  # up\r\n\n refused=${HOST}:${nobody.port}\n`;
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, lines);
    const fromFile = await checkJson("--targets", file);
    assertEquals([fromFile.code, fromFile.summary.targets], [0, 2]);
    const both = await checkJson("--targets", file, `${HOST}:${server.port}`);
    assertEquals([both.code, both.summary.targets], [0, 3]);
    await Deno.writeTextFile(file, "localhost:1\nlocalhost\n");
    const wrong = await check("--targets", file);
    assertEquals(wrong.code, 2);
    assert(wrong.stderr.includes(`${file}:2: 'localhost' is not a target`), wrong.stderr);
  } finally {
    await Deno.remove(file);
  }
  assertEquals((await netdemo(["check", "--targets", "-"], lines)).code, 0);
  const missing = await check("--targets", "/no/such/file");
  assertEquals(missing.code, 2);
});

Deno.test("--port-file waits for the file, then for the server, and follows a new port", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/port.txt`;
  try {
    const none = await check("--port-file", path);
    assertEquals(none.code, 1);
    assertMatch(none.stderr, /there is no port in .*\nhint: .* --for 30s\n/);
    const never = await check("--port-file", path, "--for", "200ms");
    assertEquals(never.code, 124);
    assertMatch(
      never.stderr,
      /^netdemo: TIMEOUT: there was no port in .* within 200ms\nhint: the server/,
    );
    await Deno.writeTextFile(path, "port\n");
    assertMatch((await check("--port-file", path)).stderr, /holds no port: 'port'/);

    // A file left by a server that is gone; the new one writes its own later.
    await using nobody = await startNobody(HOST);
    await using server = await startHonest();
    await using greeter = await serve(hello, { port: 0 });
    await Deno.writeTextFile(path, `${nobody.port}\n`);
    const done = checkJson("--port-file", path, "--for", "20s");
    setTimeout(() => Deno.writeTextFileSync(path, `${server.port}\n`), 300);
    const { code, probes } = await done;
    assertEquals([code, probes.at(0)?.verdict, probes.at(-1)?.remote !== undefined], [
      0,
      "refused",
      true,
    ]);
    assertEquals(
      probes.find(({ verdict }) => verdict === "ok")?.target,
      `localhost:${server.port}`,
    );
    await Deno.writeTextFile(path, `${greeter.port}\n`);
    const named = await checkJson("--port-file", path, "localhost:{port}/hello", ":{port}/open");
    assertEquals([named.code, named.summary.targets], [0, 2]);
    // serve writes a line for each service.
    await Deno.writeTextFile(path, `calc ${server.port}\nhello ${greeter.port}\n`);
    const both = await checkJson("--port-file", path, ":{port}/hello", `${HOST}:{port}`);
    assertEquals(both.probes.map(({ verdict }) => verdict), ["ok", "ok", "ok"]);
    // In a path the word means itself, and localhost is checked as well.
    const inPath = `refused=http://${HOST}:${nobody.port}/{port}`;
    const { probes: found } = await checkJson(inPath, "--port-file", path);
    assertEquals(found[0]?.remote, `${HOST}:${nobody.port}`);
    assertEquals(found.length, 3);
    // A target with the word may stand in a file, too.
    await Deno.writeTextFile(`${folder}/targets`, `${HOST}:{port}\n`);
    const listed = await checkJson("--port-file", path, "--targets", `${folder}/targets`);
    assertEquals(listed.probes.map(({ target }) => target), [`${HOST}:${server.port}`]);
    const missing = await check("--port-file", path, ":{port}/lab");
    assertMatch(missing.stderr, /no port for ':\{port\}\/lab'\nhint: .* calc, hello/);
    // A file of a conversation that serve plays has its port by its name, or is the only one.
    const talk = `${folder}/sums.talk`;
    await Deno.writeTextFile(talk, "> {a} {b} +\\n\n< Sum of {a} and {b} is {a + b}\\n\n");
    for (const other of [`hello ${greeter.port}\n`, ""]) {
      await Deno.writeTextFile(path, `${other}sums.talk ${server.port}\n`);
      const played = await checkJson("--port-file", path, "--talk", talk);
      assertEquals(played.probes[0]?.verdict, "ok");
    }
    const sum = ["--send", "1 2 +", "--reply", "{...}3"];
    assertEquals((await check("--port-file", path, ...sum)).code, 0);
    const unnamed = await check("localhost:{port}");
    assertMatch(unnamed.stderr, /no file says what \{port\} is\nhint: --port-file/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Wrong command lines, with what the message and the hint say. */
const mistakes: readonly (readonly [args: readonly string[], message: RegExp, hint: RegExp])[] = [
  [[], /no target to check/, /netdemo check localhost:4040/],
  [["localhost"], /it has no port/, /localhost:4040/],
  [["ftp://localhost:4040"], /neither tcp:\/\/ nor udp:\/\//, /write HOST:PORT/],
  [["htp://localhost:4040/"], /'htp:\/\/' is not a scheme/, /did you mean http:\/\/\?/],
  [["http:/localhost:4040/"], /'http:\/' is not a scheme/, /did you mean http:\/\/\?/],
  [["tls://web"], /'tls:\/\/web' is not a target: it has no port/, /add a port: tls:\/\/web:4040$/],
  [["https://web:x/"], /'https:\/\/web:x\/' is not a target: a port/, /https:\/\/web:4040$/],
  [["https://"], /'https:\/\/' is not a target: it has no host/, /https:\/\/localhost:4040/],
  [["http://me@web/"], /'me@web' is not a host name/, /http:\/\/web:80$/],
  [["tls://:{port}/bad", "--port-file", "x"], /'tls:\/\/:\{port\}\/bad' is not/, /what may follow/],
  [["tls://unix:/x"], /'tls:\/\/unix:\/x' is not a target: a port/, /./],
  [
    ["http://localhost:1", "--days", "3"],
    /--days is for targets over TLS/,
    /write tls:\/\/ or https/,
  ],
  [["udp://:1", "--proxy-protocol", "v1"], /--proxy-protocol is for connections/, /over UDP/],
  [["refused=:1", "--slower-than", "1s"], /--slower-than is for targets that should/, /./],
  [["localhost:1", "--name", "west"], /--name is shown in JUnit XML and JSON only/, /--junit PATH/],
  [["droped=localhost:1"], /'droped=' is not an expectation/, /did you mean dropped\?/],
  [["error=localhost:1"], /never as expected/, /blocked/],
  [["udp://localhost:1/open"], /UDP has no handshake/, /./],
  [["localhost:1/cal"], /not a service/, /did you mean calc\?/],
  [["open=https://web/"], /a web server is asked, so it is never 'open'/, /./],
  [["slow=localhost:1"], /without --slower-than/, /./],
  [["localhost:1", "--every", "1s"], /--every needs --count/, /--for/],
  [["localhost:1", "--for", "1s", "--count", "2"], /--for and --count/, /./],
  [["localhost:1", "--sizes", "9..1"], /--sizes must be A\.\.B/, /100\.\.9000/],
  [["localhost:1/hello", "--sizes", "1..9"], /it needs replies/, /./],
  [["dropped=localhost:1", "--sizes", "1..9"], /it needs replies/, /./],
  [["localhost:1", "--send", "x"], /--send needs --reply/, /ECHO/],
  [["localhost:1", "--reply", "{nonce}"], /as --send does not/, /random/],
  [["localhost:1", "--send", "\\q", "--reply", "x"], /--send: '\\q' is not an escape/, /\\q/],
  [["udp://localhost:1", "--reply", "x"], /over UDP nothing comes without a request/, /./],
  [["localhost:1", "--send", "x", "--send", "y"], /--send is given twice/, /./],
  [["localhost:1", "--json", "--tap"], /can't both be printed/, /--junit/],
  [["localhost:1", "--junit", "/no/such/folder/x"], /folder that exists/, /./],
  [["localhost:1", "--timout", "1s"], /unknown flag --timout/, /did you mean --timeout\?/],
  [["localhost:1", "--timeout", "0"], /--timeout must be a duration/, /./],
  [["localhost:1", "--count", "0"], /--count must be a whole number/, /./],
  [["localhost:1", "--sizes", "1..9"], /its smallest request has \d\d bytes/, /./],
  [["udp://localhost:1", "--sizes", "1..65508"], /a datagram has at most 65507 bytes/, /./],
  [
    ["localhost:1/open", "--send", "PING", "--reply", "PONG"],
    /--send, --reply and --talk are for targets that name no service/,
    /leave out the slash and the service/,
  ],
];

Deno.test("wrong usage exits with 2 and a hint, and nothing is probed", async () => {
  for (const [args, message, hint] of mistakes) {
    const { code, stdout, stderr } = await check(...args);
    assertEquals(code, 2, stderr);
    if (!args.includes("--json")) assertEquals(stdout, "");
    assertMatch(stderr, message);
    assertMatch(stderr.split("\n")[1] ?? "", hint);
  }
});
