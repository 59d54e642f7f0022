import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { flags } from "../commands/path/command_line.ts";
import { UdpClient } from "../commands/path/udp_client.ts";
import { Skipped } from "../suite/test.ts";
import { questionsOver } from "../commands/path/questions.ts";
import { listenResettable } from "../sockets/node_stream.ts";
import type { Stream } from "../sockets/stream.ts";
import { freePort } from "./harness/free_port.ts";
import {
  backAtBaseline,
  countDescriptors,
  ipv6,
  netdemoInProcess,
  silence,
  TestConnection,
  testWith,
} from "./harness/mod.ts";
import { examine, isSkipped } from "./path/examine.ts";
import { type Breaks, Forwarder } from "./path/forwarder.ts";
import { readTap, readXml } from "./harness/report_readers.ts";

const idsOver = (protocol: "tcp" | "udp"): readonly string[] =>
  questionsOver(protocol).map(({ id }) => id).filter((id) => id !== "idle");

/** Runs path without a forwarder: the target is path's own listener. */
function examineDirectly(host: string, ...args: readonly string[]) {
  const port = freePort();
  return examine("--listen", `${host}:${port}`, ...args, `${host}:${port}`);
}

const hosts = ["127.0.0.1", ...(ipv6.isMet() ? ["[::1]"] : [])];

for (const protocol of ["tcp", "udp"] as const) {
  Deno.test(`without a forwarder every question passes (${protocol}, ${hosts.join(", ")})`, async () => {
    // Several at once, so that they disturb each other; none may wait for a timeout.
    const args = ["--timeout", "60s", ...(protocol === "udp" ? ["--udp"] : [])];
    const runs = [...hosts, ...hosts, ...hosts].map((host) => examineDirectly(host, ...args));
    for (const { code, stderr, questions, summary } of await Promise.all(runs)) {
      assertEquals(questions.map(({ id, status }) => [id, status]), allPass(protocol));
      assertEquals([code, stderr, summary.ok, summary.strays], [0, "", true, 0]);
      assert(summary.elapsedMs < 30_000, `${summary.elapsedMs} ms`);
    }
  });
}

function allPass(protocol: "tcp" | "udp"): string[][] {
  return idsOver(protocol).map((id) => [id, isSkipped(id) ? "skip" : "pass"]);
}

testWith(
  [ipv6],
  "a server on all addresses sees a client's IPv4 address unmapped",
  async () => {
    const port = String(freePort());
    const only = ["--only", "address,server-first"];
    const { notPassed } = await examine("--listen", `[::]:${port}`, ...only, `127.0.0.1:${port}`);
    assertEquals(notPassed, []);
  },
);

Deno.test("a run leaves no connection, timer or descriptor behind", async () => {
  const most = ["--only", idsOver("tcp").filter((id) => id !== "half-close-late").join(",")];
  await examineDirectly("127.0.0.1", ...most);
  const before = countDescriptors();
  await examineDirectly("127.0.0.1", ...most);
  await backAtBaseline(before);
});

Deno.test("path prints a row for each question, and ends with what failed", async () => {
  const port = freePort();
  await using forwarder = await Forwarder.start(port, { lingers: 500, onRefused: "end" });
  const { code, stdout, stderr } = await netdemoInProcess([
    ...["path", "--listen", String(port), `localhost:${forwarder.port}`],
    ...["--only", "reply,address,half-close-late,nobody"],
  ]);
  const rows = stdout.trimEnd().split("\n");
  assertEquals(rows.length, 4);
  assertMatch(rows[0] ?? "", /^ok {3}a request and its reply {11}up [\d.]+ ms, both [\d.]+ ms$/);
  assertMatch(
    rows[1] ?? "",
    /^note the client's address {14}127\.\S+:\d+ is seen as 127\.\S+:\d+$/,
  );
  assertEquals(
    rows[2],
    "NOT  half-close: reply 1 s later       the client got the end of the stream instead of its reply",
  );
  assertEquals(
    rows[3],
    "NOT  nobody behind it                  accepted, then ended: an open port proves nothing here",
  );
  const [message, hint] = stderr.split("\n");
  assertEquals(
    message,
    "netdemo: ERROR: 2 of 4 questions are not answered as without a forwarder: half-close-late, nobody",
  );
  assertStringIncludes(hint ?? "", "--allow half-close-late,nobody");
  assertEquals(code, 1);
});

/** A forwarder that closes the whole connection once either side ends. */
const endsBoth: Breaks = { onEnd: () => "close both", onRefused: "end" };

Deno.test("--allow shows a failure but does not count it", async () => {
  const port = freePort();
  await using forwarder = await Forwarder.start(port, endsBoth);
  const target = `127.0.0.1:${forwarder.port}`;
  const listen = ["--listen", String(port), "--only", "half-close,nobody"];
  const one = await examine(...listen, "--allow", "half-close", target);
  assertEquals(one.notPassed, ["half-close: allowed", "nobody: fail"]);
  const { code, summary } = one;
  assertEquals([code, summary.failedIds, summary.allowedIds], [1, ["nobody"], ["half-close"]]);
  const both = await examine(...listen, "--allow", "nobody,half-close", target);
  assertEquals([both.code, both.summary.ok, both.stderr], [0, true, ""]);
});

Deno.test("--only asks just the given questions, after checking that a request gets through", async () => {
  const many = await examineDirectly("127.0.0.1", "--only", "many,half-close");
  assertEquals(many.questions.map(({ id }) => id), ["half-close", "many"]);
  assertEquals([many.code, many.summary.questions], [0, 2]);
  const port = freePort();
  const unreached = await examine("--listen", String(port), "--only", "many", `:${freePort()}`);
  assertEquals([unreached.notPassed, unreached.code], [["reply: fail"], 11]);
});

Deno.test("--idle asks whether a connection outlives a quiet time", async () => {
  const { questions } = await examineDirectly("127.0.0.1", "--idle", "300ms", "--only", "idle");
  assertEquals(questions.map(({ id, status }) => [id, status]), [["idle", "pass"]]);
  assert((questions[0]?.elapsedMs ?? 0) >= 300);
});

Deno.test("--bulk sends more megabytes than fit in any buffer", async () => {
  const { questions } = await examineDirectly("127.0.0.1", "--bulk", "40", "--only", "bulk");
  assertEquals(questions.map(({ id, status }) => [id, status]), [["bulk", "pass"]]);
  assertMatch(questions[0]?.detail ?? "", /^40 MiB each way in /);
});

Deno.test("a question needs only earlier ones, so that --only can ask those first", () => {
  for (const protocol of ["tcp", "udp"] as const) {
    const earlier: string[] = [];
    for (const { id, needs = [] } of questionsOver(protocol)) {
      assertEquals(needs, earlier.length === 0 ? [] : ["reply"], id);
      earlier.push(id);
    }
  }
});

Deno.test("--for waits for the forwarder, but no longer than the given time", async () => {
  const port = freePort();
  const later = freePort();
  const examined = examine(
    ...["--listen", String(port), "--for", "20s", "--only", "reply,many"],
    `127.0.0.1:${later}`,
  );
  await silence(400);
  await using _ = await Forwarder.start(port, {}, "127.0.0.1", later);
  const { code, summary } = await examined;
  assertEquals([code, summary.ok, summary.strays], [0, true, 0]);

  const start = performance.now();
  const never = await examine("--listen", String(port), "--for", "600ms", `:${freePort()}`);
  assertEquals([never.code, never.summary.failure], [11, "REFUSED"]);
  const took = performance.now() - start;
  assert(took >= 600 && took < 5_000, `${took} ms`);

  // A name that does not resolve yet may belong to a forwarder that is about to start.
  const asked = performance.now();
  const unknown = ["--listen", String(port), "--for", "600ms", "nobody.invalid:80"];
  assertEquals((await examineAll(...unknown)).code, 10);
  assertGreaterOrEqual(performance.now() - asked, 600);
});

interface Unreachable {
  readonly act: (stream: Stream) => unknown;
  readonly code: number;
  /** What path says that the client got. */
  readonly got: string;
  readonly hint?: RegExp;
}

const write = (stream: Stream, text: string) => stream.write(new TextEncoder().encode(text));

/** What may stand in place of a forwarder, with the exit code. */
const unreachable: Record<string, Unreachable> = {
  "accepts and closes": {
    act: (stream) => stream.close(),
    code: 14,
    got: "got the end of the stream",
  },
  "accepts and resets": { act: (stream) => stream.reset?.(), code: 13, got: "got a reset" },
  "accepts and says nothing": { act: () => {}, code: 124, got: "got nothing within 300ms" },
  "speaks HTTP and closes": {
    act: async (stream) => {
      await stream.read(new Uint8Array(100));
      await write(stream, "HTTP/1.1 400 Bad Request\r\n\r\n");
      stream.close();
    },
    code: 14,
    got: 'got "HTTP/1.1 400 Bad Request\\r\\n\\r\\n" and the end of the stream',
    hint: /that is an HTTP proxy/,
  },
  "greets as a mail server": {
    act: (stream) => write(stream, "220 mail ESMTP\r\n"),
    code: 124,
    got: 'got "220 mail ESMTP\\r\\n" and nothing more within 300ms',
    hint: /something answers there by itself/,
  },
};

for (const [name, { act, code, got, hint = /./ }] of Object.entries(unreachable)) {
  Deno.test(`exit ${code} if the target ${name}: only the first question is asked`, async () => {
    const listener = await listenResettable({ hostname: "127.0.0.1", port: 0 });
    const held: Stream[] = [];
    const accepting = (async () => {
      while (true) {
        const stream = await listener.accept();
        held.push(stream);
        await act(stream);
      }
    })().catch(() => {});
    const target = `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
    const examined = await examine("--listen", String(freePort()), "--timeout", "300ms", target);
    listener.close();
    for (const stream of held) stream.close();
    await accepting;
    assertEquals([examined.code, examined.notPassed], [code, ["reply: fail"]]);
    const [message = "", hinted = ""] = examined.stderr.split("\n");
    assertMatch(message, /^netdemo: [A-Z]+: no request and reply get through: the client /);
    assertStringIncludes(message, `the client ${got}, the server got no connection`);
    assertMatch(hinted, /^hint: /);
    assertMatch(hinted, hint);
  });
}

Deno.test("a failure to resolve, reach, listen or get a reply has its own exit code", async () => {
  const port = String(freePort());
  const dns = await examineAll("--listen", port, "nobody.invalid:8080");
  assertEquals([dns.code, dns.events[0]?.failure], [10, "DNS"]);
  const route = await examine("--listen", port, "255.255.255.255:9"); // a broadcast has no TCP
  assertEquals([route.code, route.summary.failure], [12, "UNREACHABLE"]);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = listener.addr.port;
  const bind = await examineAll("--listen", `127.0.0.1:${taken}`, ":8080");
  assertEquals([bind.code, bind.events[0]?.failure], [15, "BIND"]);
  assertStringIncludes(String(bind.events[0]?.hint), "path takes the place of the server");
  listener.close();
  const udp = await examine(
    "--listen",
    port,
    "--timeout",
    "200ms",
    `udp://127.0.0.1:${freePort()}`,
  );
  assertEquals([udp.code, udp.summary.failure], [124, "TIMEOUT"]);
});

/** Runs `path --json`, which may end without a summary. */
async function examineAll(...args: readonly string[]) {
  const { code, stdout } = await netdemoInProcess(["path", "--json", ...args]);
  return { code, events: stdout.trimEnd().split("\n").map((line) => JSON.parse(line)) };
}

const wrongUsage: Record<string, RegExp> = {
  "": /needs a TARGET.*\nhint: .*: netdemo path --listen 4040 localhost:8080/,
  "localhost:8080": /needs --listen/,
  "--listen 4040": /needs a TARGET/,
  "--listen 0 :8080": /--listen must be a whole number from 1 to 65535: received '0'/,
  "--listen 70000 :8080": /from 1 to 65535: received '70000'/,
  "--listen tcp://:4040 :8080": /--listen takes \[HOST:\]PORT/,
  "--listen web :8080": /--listen takes \[HOST:\]PORT: received 'web'\nhint: add a port: web:4040/,
  "--listen 4040 localhost": /'localhost' is not a target: it has no port/,
  "--listen 4040 http://web": /hint: write HOST:PORT, for example web:80/,
  "--listen 4040 unix:/tmp/s": /TCP and UDP, not about Unix sockets|not available on Windows/,
  "--listen 4040 :8080 :8081": /one TARGET: received ':8081' as well/,
  "--listen 4040 --only half-closed :8080":
    /'half-closed' is not one of the questions over tcp.*\nhint: did you mean half-close/,
  "--explain half-close": /--explain takes no value.*\nhint: .* path --explain --only half-close\n/,
  "--listen 4040 --only many, :8080": /--only: '' is not one of the questions over tcp/,
  "--listen 4040 --only size-0 :8080": /'size-0' is not one of the questions over tcp/,
  "--listen 4040 --udp --allow bulk :8080": /'bulk' is not one of the questions over udp/,
  "--listen 4040 --only idle :8080": /'idle' needs a time.*\nhint: .*--idle 2m/,
  "--listen 4040 --udp --idle 2m :8080": /--idle makes no sense with UDP/,
  "--listen 4040 --udp --bulk 16 :8080": /--bulk makes no sense with UDP/,
  "--listen 4040 --bulk 0 :8080": /--bulk must be a whole number from 1 to 256/,
  "--listen 4040 --udp tcp://localhost:8080": /--udp makes no sense with tcp:\/\/localhost:8080/,
  "--listen 4040 --timeout 0 :8080": /--timeout must be a duration/,
  "--listen 4040 --alow many :8080": /unknown flag --alow\nhint: did you mean --allow/,
  "--listen 4040 --json --tap :8080": /--json and --tap/,
};

Deno.test("wrong usage exits with 2, says what is wrong and what to type, and starts nothing", async () => {
  for (const [line, message] of Object.entries(wrongUsage)) {
    const args = line.split(" ").filter((word) => word !== "");
    const { code, stdout, stderr } = await netdemoInProcess(["path", ...args]);
    assertEquals([code, stdout.includes("ok ")], [2, false], line);
    assertMatch(stderr, /^netdemo: USAGE: /, line);
    assertMatch(stderr, message, line);
  }
});

Deno.test("stray connections are ignored, counted, and change no answer", async () => {
  const port = freePort();
  await using forwarder = await Forwarder.start(port);
  const target = `127.0.0.1:${forwarder.port}`;
  const examined = examine("--listen", `127.0.0.1:${port}`, "--only", strayIds, target);
  const strays: TestConnection[] = [];
  const stopped = new AbortController();
  const knocking = knock(port, stopped.signal, strays);
  const { notPassed, summary, code } = await examined;
  stopped.abort();
  const knocked = await knocking;
  assertEquals([notPassed, code], [[], 0]);
  assert(knocked > 10, `${knocked} strays`);
  assert(
    summary.strays >= knocked - 5 && summary.strays <= knocked,
    `${summary.strays} of ${knocked}`,
  );
  for (const stray of strays) {
    assertEquals(await stray.receiveAll().catch(() => ""), "");
    stray[Symbol.dispose]();
  }
});

const strayIds = "reply,server-first,bulk,half-close,half-close-late,server-close,many";

/** Connects as health checks do: most connections close at once, some send and stay open. */
async function knock(
  port: number,
  signal: AbortSignal,
  staying: TestConnection[],
): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    try {
      const connection = await TestConnection.open(port);
      count++;
      if (count % 4 === 0) {
        await connection.send("GET /health HTTP/1.0\r\n\r\n");
        staying.push(connection);
      } else {
        connection[Symbol.dispose]();
      }
    } catch {
      // The listener is not up yet, or already closed.
    }
    await silence(15);
  }
  return count;
}

Deno.test("a header that a forwarder puts before the client's bytes is shown", async () => {
  const port = freePort();
  let isFirst = true;
  await using forwarder = await Forwarder.start(port, {
    alter(bytes) {
      const header = new TextEncoder().encode("PROXY TCP4 127.0.0.1 127.0.0.1 5 6\r\n");
      const altered = isFirst ? new Uint8Array([...header, ...bytes]) : bytes;
      isFirst = false;
      return altered;
    },
  });
  const { code, stderr } = await netdemoInProcess([
    ...["path", "--listen", `127.0.0.1:${port}`, "--timeout", "300ms"],
    `127.0.0.1:${forwarder.port}`,
  ]);
  assertEquals(code, 124);
  assertMatch(stderr, /hint: the input at 127\.0\.0\.1:\d+ began with "PROXY TCP4 127\.0\.0\.1 /);
});

const alterations: Record<string, (byte: number) => readonly number[]> = {
  "LF became CR LF": (byte) => byte === 10 ? [13, 10] : [byte],
  "the eighth bit was cleared": (byte) => [byte & 0x7f],
};

for (const [name, alter] of Object.entries(alterations)) {
  Deno.test(`a common alteration is named: ${name}`, async () => {
    const port = freePort();
    await using forwarder = await Forwarder.start(port, {
      alter: (bytes) => Uint8Array.from([...bytes].flatMap(alter)),
    });
    const target = `127.0.0.1:${forwarder.port}`;
    const { code, stderr } = await examine("--listen", `127.0.0.1:${port}`, target);
    assertEquals(code, 1);
    assertMatch(stderr, new RegExp(`altered: .*${name}`));
    // The hint quotes enough of both to show the difference.
    const isInTag = name.startsWith("LF");
    if (isInTag) assertMatch(stderr, /sent "netdemo path .*\\n", .* got ".*\\r\\n/);
  });
}

Deno.test("a datagram too large for this host is skipped, as nobody else's fault", async () => {
  using client = new UdpClient({ hostname: "127.0.0.1", port: 9 });
  const error = await assertRejects(() => client.send(new Uint8Array(65_508)), Skipped);
  assertMatch(error.message, /^this host itself .* 65,508 bytes \(EMSGSIZE\)$/);
});

Deno.test("TAP and JUnit report the same for each question as JSON", async () => {
  const port = freePort();
  await using forwarder = await Forwarder.start(port, endsBoth);
  const args = [
    ...["--listen", String(port), "--allow", "half-close"],
    ...["--only", "reply,address,half-close,nobody", `127.0.0.1:${forwarder.port}`],
  ];
  const path = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { stdout, code } = await netdemoInProcess(["path", "--tap", "--junit", path, ...args]);
    assertEquals(code, 1);
    const { points, errors, planned, ok } = readTap(stdout);
    assertEquals([errors, planned, ok], [[], 4, false]);
    const tap = points.map(({ name, ok, todo }) => [name, ok, todo !== false]);
    assertEquals(tap, [
      ["a request and its reply", true, false],
      ["the client's address", true, false],
      ["half-close: reply at once", false, true],
      ["nobody behind it", false, false],
    ]);
    const elements = readXml(await Deno.readTextFile(path));
    const cases = elements.filter(({ name }) => name === "testcase");
    assertEquals(cases.map(({ attributes }) => attributes.name), points.map(({ name }) => name));
    const failures = elements.filter(({ name }) => name === "failure");
    assertEquals(failures.length, 1);
    assertStringIncludes(failures[0]?.attributes.message ?? "", "accepted, then ended");
    assertEquals(elements.filter(({ name }) => name === "skipped").length, 1);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("--explain says what each answer means, and alone lists all questions", async () => {
  for (const protocol of ["tcp", "udp"] as const) {
    const args = ["path", "--explain", ...(protocol === "udp" ? ["--udp"] : [])];
    const { code, stdout } = await netdemoInProcess(args);
    assertEquals(code, 0);
    for (const { id, sentence } of questionsOver(protocol)) {
      assertStringIncludes(stdout, `${id}: ${sentence}\n`);
    }
  }
  const idle = await netdemoInProcess(["path", "--explain", "--only", "idle"]);
  assertMatch(idle.stdout, /^idle: a connection that was idle\n/);
  const { questions } = await examineDirectly("127.0.0.1", "--explain", "--only", "many");
  assertStringIncludes(questions[0]?.explain ?? "", "Connections wait for each other");
});

Deno.test("the help fits 80 columns and lists each question and flag", async () => {
  const { stdout } = await netdemoInProcess(["help", "path"]);
  for (const line of stdout.split("\n")) assert(line.length <= 80, line);
  for (const { id } of [...questionsOver("tcp"), ...questionsOver("udp")]) {
    assertMatch(stdout, new RegExp(`^  .*\\b${id}\\b`, "m"));
  }
  for (const flag of Object.keys(flags)) assertStringIncludes(stdout, `\n  --${flag} `);
});

Deno.test("each explanation is two sentences", () => {
  for (const { id, why } of [...questionsOver("tcp"), ...questionsOver("udp")]) {
    assertEquals(why.match(/[.](?= [A-Z]|$)/g)?.length, 2, `${id}: ${why}`);
  }
});
