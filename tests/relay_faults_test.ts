import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { drawFrom } from "../commands/relay/faults/draw.ts";
import { delay } from "../commands/relay/faults/delay.ts";
import { garbage } from "../commands/relay/faults/garbage.ts";
import { lose } from "../commands/relay/faults/lose.ts";
import { reset } from "../commands/relay/faults/reset.ts";
import { split } from "../commands/relay/faults/split.ts";
import { twice } from "../commands/relay/faults/twice.ts";
import { readFault } from "../commands/relay/faults/fault.ts";
import { drawRung } from "../ladder/draw.ts";
import { wireRung } from "../ladder/wire.ts";
import { showJson, showLines } from "../commands/relay/show.ts";
import type { Channels } from "../cli/output/channels.ts";
import { bindDatagrams } from "../sockets/listen.ts";
import type { DatagramSocket } from "../sockets/stream.ts";
import { writeAll } from "../sockets/write_all.ts";
import {
  backAtBaseline,
  countDescriptors,
  netdemoInProcess,
  problemsOfLine,
  TestConnection,
} from "./harness/mod.ts";
import { startCalc, TestRelay } from "./harness/relay.ts";

/** How a fault affects `calc-client 10 20 +`. */
interface Case {
  readonly faults: readonly string[];
  readonly timeout?: string;
  readonly code: number;
  /** What the client prints, to stdout or to stderr. */
  readonly prints: RegExp;
  /** The relay's events, except for those that vary. */
  readonly story: RegExp;
}

const sum = /^Sum of 10 and 20 is 30\n$/;

const tcp: readonly Case[] = [
  { faults: [], code: 0, prints: sum, story: /^connected, client 8, server 23/ },
  {
    faults: ["delay=200ms"],
    timeout: "150ms",
    code: 124,
    prints: /TIMEOUT: no reply/,
    story: /client 8 delay/,
  },
  { faults: ["delay=30ms"], code: 0, prints: sum, story: /client 8 delay, server 23 delay/ },
  { faults: ["split"], code: 0, prints: sum, story: /client 8 split, server \d+ split/ },
  {
    faults: ["throttle=400"],
    code: 0,
    prints: sum,
    story: /client 8 throttle, server 23 throttle/,
  },
  {
    faults: ["garbage"],
    code: 1,
    prints: /ERROR: .* not UTF-8/,
    story: /client 8 garbage, server \d+ garbage/,
  },
  { faults: ["close=0"], code: 14, prints: /CLOSED: /, story: /^connected, fault close/ },
  { faults: ["close=8"], code: 14, prints: /CLOSED: /, story: /client 8, fault close/ },
  { faults: ["reset=0"], code: 13, prints: /RESET: /, story: /^connected, fault reset/ },
  { faults: ["reset=20"], code: 13, prints: /RESET: /, story: /client 8, server 23, fault reset/ },
  {
    faults: ["stall=8"],
    timeout: "200ms",
    code: 124,
    prints: /TIMEOUT: no reply/,
    story: /^connected, client 8, fault stall/,
  },
  {
    faults: ["stall=0"],
    timeout: "200ms",
    code: 124,
    prints: /TIMEOUT: no reply/,
    story: /^connected, fault stall/,
  },
  {
    faults: ["delay=30ms", "split", "reset=31"],
    code: 0,
    prints: sum,
    story: /client 8 delay split, server \d+ delay split/,
  },
  { faults: ["delay=20ms", "reset=20"], code: 13, prints: /RESET: /, story: /delay.* fault reset/ },
  { faults: ["reset=0@0"], code: 0, prints: sum, story: /client 8, server 23/ },
];

const udp: readonly Case[] = [
  { faults: [], code: 0, prints: sum, story: /^connected, client 8, server 23/ },
  {
    faults: ["delay=200ms"],
    timeout: "150ms",
    code: 124,
    prints: /TIMEOUT: no reply/,
    story: /client 8 delay/,
  },
  { faults: ["delay=30ms"], code: 0, prints: sum, story: /client 8 delay, server 23 delay/ },
  { faults: ["split"], code: 1, prints: /ERROR: |Error: /, story: /client 8 split/ },
  { faults: ["throttle=20"], timeout: "150ms", code: 124, prints: /TIMEOUT/, story: /throttle/ },
  { faults: ["garbage"], code: 1, prints: /ERROR: .*not UTF-8/, story: /client 8 garbage/ },
  { faults: ["lose"], timeout: "150ms", code: 124, prints: /TIMEOUT/, story: /client 8 lose lost/ },
  { faults: ["twice"], code: 0, prints: sum, story: /client 8 twice, server 23 twice/ },
  {
    faults: ["stall=8"],
    timeout: "150ms",
    code: 124,
    prints: /TIMEOUT/,
    story: /server 23 stall lost/,
  },
];

for (const [protocol, cases] of Object.entries({ tcp, udp })) {
  for (const { faults, timeout = "5s", code, prints, story } of cases) {
    const name = faults.join(" ") || "no fault";
    Deno.test(`${name} over ${protocol}: calc-client exits with ${code}`, async () => {
      const isUdp = protocol === "udp";
      await using server = await startCalc(isUdp ? "udp" : "tcp");
      const before = countDescriptors();
      {
        await using relay = await TestRelay.start({ target: server.port, udp: isUdp, faults });
        const ended = await netdemoInProcess([
          ...["calc-client", "--host", "127.0.0.1", "--port", String(relay.port)],
          ...["--timeout", timeout, ...(isUdp ? ["--udp"] : []), "10", "20", "+"],
        ]);
        assertEquals(ended.code, code, ended.stderr);
        assertMatch(ended.stdout + ended.stderr, prints);
        assertMatch(relay.story(), story);
      }
      await backAtBaseline(before);
    });
  }
}

Deno.test("a throttled connection shares its rate between both directions", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using relay = await TestRelay.start({
    target: listener.addr.port,
    faults: ["throttle=200"],
  });
  using client = await TestConnection.open(relay.port);
  using server = await listener.accept();
  const start = performance.now();
  const line = `${"x".repeat(39)}\n`;
  await Promise.all([client.send(line), server.write(new TextEncoder().encode(line))]);
  const buffer = new Uint8Array(line.length);
  for (let left = line.length; left > 0;) left -= await server.read(buffer) ?? left;
  await client.receiveLines(1);
  const elapsed = performance.now() - start;
  assertGreater(elapsed, 300, "80 bytes at 200 per second, less the last parts of 10");
});

Deno.test("the bytes before a close arrive, and no more", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using _listener = listener;
  await using relay = await TestRelay.start({ target: listener.addr.port, faults: ["close=5"] });
  using client = await TestConnection.open(relay.port);
  using server = await listener.accept();
  await client.send("abc");
  const buffer = new Uint8Array(100);
  assertEquals(await server.read(buffer), 3);
  await client.send("defgh");
  assertEquals(await server.read(buffer), 2);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, 2)), "de");
  assertEquals(await server.read(buffer), null);
  assertEquals(await client.receiveAll(), "");
});

Deno.test("a stalled connection ends once both ends have left", async () => {
  await using server = await startCalc();
  await using relay = await TestRelay.start({ target: server.port, faults: ["stall=0"] });
  const before = countDescriptors();
  {
    using client = await TestConnection.open(relay.port);
    await client.send("10 20 +\n");
    await relay.until(({ what }) => what === "fault");
  }
  await server[Symbol.asyncDispose]();
  await relay.until(({ what }) => what === "closed");
  await backAtBaseline(before);
});

/** Which of 40 connections a share of resets hits: `x` for each. */
async function struck(seed: number): Promise<string> {
  await using server = await startCalc();
  await using relay = await TestRelay.start({ target: server.port, faults: ["reset=0@30"], seed });
  let story = "";
  for (let count = 0; count < 40; count++) {
    using client = await TestConnection.open(relay.port);
    await client.send("1 1 +\n").catch(() => {});
    story += await client.receive().then(() => ".", () => "x");
  }
  return story;
}

/** How 1,000 bytes, or more, come through faults that cut the connection off after them. */
const cutoffs: readonly { readonly faults: readonly string[]; readonly bytes: number }[] = [
  ...["close=1000", "reset=1000", "stall=1000"].flatMap((cutoff) => [
    { faults: [cutoff], bytes: 1_000 },
    { faults: [cutoff, "split"], bytes: 1_000 },
    { faults: ["throttle=4000", cutoff], bytes: 1_000 },
    { faults: [cutoff, "delay=50ms"], bytes: 1_000 },
  ]),
  { faults: ["close=3000000"], bytes: 3_000_000 },
  { faults: ["reset=3000000"], bytes: 3_000_000 },
];

for (const { faults, bytes } of cutoffs) {
  Deno.test(`all ${bytes} bytes before ${faults.join(" ")} arrive, and none after them`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using _listener = listener;
    await using relay = await TestRelay.start({ target: listener.addr.port, faults });
    const client = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
    using _client = client;
    using server = await listener.accept();
    const sent = new Uint8Array(bytes).map((_, index) => index % 251);
    const received = (async () => {
      const buffer = new Uint8Array(bytes + 100);
      let count = 0;
      try {
        while (count < bytes) count += await server.read(buffer.subarray(count)) ?? Infinity;
      } catch {
        // It was reset.
      }
      return buffer.subarray(0, count);
    })();
    await writeAll(client, sent).catch(() => {});
    assertEquals(await received, sent);
    await relay.until(({ what }) => what === "fault");
    await writeAll(client, new Uint8Array([1, 2, 3])).catch(() => {});
    if (faults.some((fault) => fault.startsWith("close"))) {
      assertEquals(await server.read(new Uint8Array(9)), null);
    }
  });
}

Deno.test("what the other side had sent before a close is delivered, too", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using _listener = listener;
  const faults = ["throttle=20000", "close=5000"];
  await using relay = await TestRelay.start({ target: listener.addr.port, faults });
  using client = await TestConnection.open(relay.port);
  using server = await listener.accept();
  await server.write(new TextEncoder().encode("a".repeat(4_900)));
  await relay.until(({ what }) => what === "data");
  await client.send("b".repeat(100));
  assertEquals((await client.receiveAll()).length, 4_900);
});

/** Which of the connections to come a fault strikes: `x` for each. */
function drawn(texts: readonly string[], of: string, seed = 7, count = 30): string {
  const draws = drawFrom(texts.map((text) => readFault(text, "--fault")), seed);
  return Array.from({ length: count }, (_, index) => draws.strike(index + 1)).map((struck) =>
    struck.some(({ text }) => text === of) ? "x" : "."
  ).join("");
}

Deno.test("what is drawn for a fault depends on its own text and the connection's number", () => {
  const alone = drawn(["reset=0@30"], "reset=0@30");
  assertMatch(alone, /x.*\..*x/);
  assertEquals(drawn(["delay=1ms@50", "reset=0@30"], "reset=0@30"), alone);
  assertEquals(drawn(["reset=0@30", "split@10", "garbage"], "reset=0@30"), alone);
  assertNotEquals(drawn(["reset=0@30"], "reset=0@30", 8), alone);
  const again = drawFrom([readFault("split@50", ""), readFault("split@50", "")], 1);
  const both = Array.from({ length: 50 }, (_, index) => again.strike(index).length);
  assert(both.includes(1), "two that are alike are drawn independently");
});

Deno.test("a fault strikes the connections whose numbers it names", () => {
  assertEquals(drawn(["reset=0#1-2"], "reset=0#1-2", 7, 6), "xx....");
  assertEquals(drawn(["split#3"], "split#3", 7, 6), "..x...");
  assertEquals(drawn(["split#3-"], "split#3-", 7, 6), "..xxxx");
  assertMatch(drawn(["split@50#11-20"], "split@50#11-20"), /^\.{10}(?=.*x)(?=.*\.)[.x]{10}\.{10}$/);
});

Deno.test("with reset=0#1-2 a client fails twice, then it works", async () => {
  await using server = await startCalc();
  await using relay = await TestRelay.start({ target: server.port, faults: ["reset=0#1-2"] });
  const codes: number[] = [];
  for (let count = 0; count < 4; count++) {
    const args = ["calc-client", `127.0.0.1:${relay.port}`, "10", "20", "+"];
    codes.push((await netdemoInProcess(args)).code);
  }
  assertEquals(codes, [13, 13, 0, 0]);
});

Deno.test("over UDP numbers count the datagrams of both sides: lose#1-2 loses two requests", async () => {
  await using server = await startCalc("udp");
  await using relay = await TestRelay.start({
    target: server.port,
    udp: true,
    faults: ["lose#1-2"],
  });
  const codes: number[] = [];
  for (let count = 0; count < 3; count++) {
    const args = [
      "calc-client",
      `udp://127.0.0.1:${relay.port}`,
      "--timeout",
      "200ms",
      "1",
      "2",
      "+",
    ];
    codes.push((await netdemoInProcess(args)).code);
  }
  assertEquals(codes, [124, 124, 0]);
});

Deno.test("a delay with a jitter differs from piece to piece, and repeats with its seed", async () => {
  const waits = async (seed: number): Promise<number[]> => {
    const until: number[] = [];
    const transit = {
      isDatagram: false,
      pauseUntil: (time: number) => Promise.resolve(void until.push(Math.round(time))),
    };
    const fault = readFault("delay=100ms+-50ms", "--fault");
    const random = drawFrom([fault], seed).random(fault, 1, "client");
    const pieces = (async function* () {
      for (let count = 0; count < 200; count++) yield { bytes: new Uint8Array(1), at: 0 };
    })();
    for await (const _ of fault.kind.disturb?.(fault, transit)(pieces, random) ?? []) continue;
    return until;
  };
  const first = await waits(1);
  assertEquals(await waits(1), first);
  assertNotEquals(await waits(2), first);
  assert(Math.min(...first) >= 50 && Math.max(...first) <= 150, String(first));
  assert(new Set(first).size > 40, "spread over the whole range");
});

Deno.test("the same seed hits the same connections, another seed hits others", async () => {
  const [once, again, other] = [await struck(7), await struck(7), await struck(8)];
  assertEquals(once, again);
  assertNotEquals(once, other);
  assertMatch(once, /x.*\./);
});

Deno.test("faults keep their shares, and one more fault does not move the others", () => {
  const faults = ["lose@10", "twice@60"].map((text) => readFault(text, "--fault"));
  const draw = drawFrom(faults, 1);
  const alone = drawFrom(faults.slice(0, 1), 1);
  const counts = { lose: 0, twice: 0, both: 0 };
  for (let count = 0; count < 20_000; count++) {
    const kinds = draw.strike(count + 1).map(({ kind }) => kind.name);
    const lost = kinds.includes("lose");
    assertEquals(alone.strike(count + 1).length > 0, lost);
    if (lost) counts.lose++;
    if (kinds.includes("twice")) counts.twice++;
    if (kinds.length === 2) counts.both++;
  }
  assert(Math.abs(counts.lose - 2_000) < 150, `${counts.lose} of 20,000 at 10%`);
  assert(Math.abs(counts.twice - 12_000) < 300, `${counts.twice} of 20,000 at 60%`);
  assert(Math.abs(counts.both - 1_200) < 150, "faults are drawn independently");
});

Deno.test("a lost datagram never arrives, and a doubled one arrives twice", async () => {
  const server = bindDatagrams({ hostname: "127.0.0.1", port: 0 });
  const client = bindDatagrams({ hostname: "127.0.0.1", port: 0 });
  try {
    await using relay = await TestRelay.start({
      ...{ target: server.addr.port, udp: true, seed: 3 },
      faults: ["lose@50", "twice@50"],
    });
    const to = { transport: "udp", hostname: "127.0.0.1", port: relay.port } as const;
    for (let number = 0; number < 20; number++) await client.send(new Uint8Array([number]), to);
    await relay.until(() => relay.events.length === 21);
    const expected = relay.events.flatMap((event) => {
      if (event.what !== "data" || event.lost) return [];
      const [number = -1] = event.data;
      return event.faults.includes(twice) ? [number, number] : [number];
    });
    assert(expected.length > 3 && expected.length < 37, String(expected));
    const received: number[] = [];
    const buffer = new Uint8Array(10);
    while (received.length < expected.length) {
      const [[number = -1]] = await server.receive(buffer);
      received.push(number);
    }
    assertEquals(received, expected);
  } finally {
    server.close();
    client.close();
  }
});

Deno.test("a reply from another port than the server's is shown, and not passed on", async () => {
  const [server, other, client] = [1, 2, 3].map(() =>
    bindDatagrams({ hostname: "127.0.0.1", port: 0 })
  ) as [DatagramSocket, DatagramSocket, DatagramSocket];
  try {
    await using relay = await TestRelay.start({ target: server.addr.port, udp: true });
    const to = { transport: "udp", hostname: "127.0.0.1", port: relay.port } as const;
    await client.send(new TextEncoder().encode("ask"), to);
    const [, from] = await server.receive(new Uint8Array(10));
    await other.send(new TextEncoder().encode("other"), from);
    const event = await relay.until((event) => event.what === "data" && event.from === "server");
    await server.send(new TextEncoder().encode("own"), from);
    const [reply] = await client.receive(new Uint8Array(10));
    assertEquals(new TextDecoder().decode(reply), "own");
    const lines: string[] = [];
    const stdout = { line: (line: string) => lines.push(line) };
    for (const show of [showLines, showJson]) show({ stdout } as unknown as Channels)([event]);
    const [line = "", json = ""] = lines;
    const address = `127.0.0.1:${other.addr.port}`;
    assertStringIncludes(line, `${address}, which is not the server's address, sent 5 bytes`);
    assertStringIncludes(line, '"other" (does not arrive)');
    assertEquals(problemsOfLine(json), []);
    assertEquals(JSON.parse(json).remote, address);
    assertEquals(wireRung(event, 0, "udp")?.crossing?.faults, [`from ${address}`]);
  } finally {
    for (const socket of [server, other, client]) socket.close();
  }
});

Deno.test("a fault is drawn where it happens, by name", () => {
  const display = { columns: 80, color: false, unicode: true };
  const drawn = (event: Parameters<typeof wireRung>[0]): string | undefined => {
    const rung = wireRung(event, 0, "tcp");
    return rung &&
      drawRung(rung, { display, explain: false })[0]?.replace(/ +0\.0 ms$/, "").replaceAll(
        /─+/g,
        "─",
      );
  };
  const data = new TextEncoder().encode("10 20 +\n");
  const piece = { time: 0, connection: 1, what: "data", from: "client", data, bytes: 8 } as const;
  assertEquals(
    drawn({ ...piece, faults: [delay, garbage], lost: false }),
    '  send(8)       ─ "10 20 +\\n" ─ delay garbage ─▶',
  );
  assertEquals(
    drawn({ ...piece, faults: [lose], lost: true }),
    '  send(8)       ─ "10 20 +\\n" ─ lose ─✕',
  );
  assertEquals(
    drawn({ ...piece, from: "server", faults: [split], lost: false }),
    '                ◀─ "10 20 +\\n" ─ split ─ send(8)',
  );
  assertEquals(
    drawn({ time: 0, connection: 1, what: "fault", fault: reset }),
    "                ◀─ reset ─ reset ─▶",
  );
});
