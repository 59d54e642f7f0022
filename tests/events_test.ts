import { assert, assertEquals } from "@std/assert";
import { events } from "../cli/output/events.ts";
import { examplesOf, pageOfEvents } from "../build/docs.ts";
import { formatEndpoint } from "../protocol/addresses.ts";
import type { Fields } from "../cli/output/event_fields.ts";
import {
  netdemoCommand,
  netdemoInProcess,
  probe,
  problemsOfLine,
  type Process,
  resets,
  startServer,
  strace,
  Straced,
  TestConnection,
  TestSocket,
  testWith,
  unix,
} from "./harness/mod.ts";
import { dialResettable } from "../sockets/node_stream.ts";
import { startNobody } from "./harness/peers.ts";

Deno.test("a line must match the event it names", () => {
  const good = {
    event: "failure",
    failure: "REFUSED",
    exitCode: 11,
    message: "m",
    hint: "h",
  };
  const table: [value: unknown, problems: string[]][] = [
    [good, []],
    [{ ...good, hint: undefined }, []],
    [{ ...good, exitCode: "11" }, ['exitCode is not count: "11"']],
    [{ ...good, message: undefined }, ["message is not text: undefined"]],
    [{ ...good, port: 1 }, ["unknown field port"]],
    [{ ...good, event: "fail" }, ["unknown event fail"]],
    [{ failure: "DNS", event: "failure" }, ["event is not the first field"]],
    [[good], ["not an object"]],
  ];
  for (const [value, problems] of table) {
    assertEquals(problemsOfLine(JSON.stringify(value)), problems);
  }
  assertEquals(problemsOfLine("Thanks..."), ["not JSON"]);
});

Deno.test("an endpoint is one field, an address with a port or a path", () => {
  const holds = (remote: unknown): boolean =>
    problemsOfLine(JSON.stringify({
      ...{ event: "connected", remote, local: "[fe80::1%eth0]:4040", elapsedMs: 0.5 },
    })).length === 0;
  for (const right of ["127.0.0.1:40", "[::1]:40", "/tmp/a b.sock", "unnamed", "a.sock"]) {
    assert(holds(right), right);
  }
  for (const wrong of ["127.0.0.1", "::1:40", "", { hostname: "127.0.0.1", port: 40 }, null]) {
    assert(!holds(wrong), JSON.stringify(wrong));
  }
  // A path that looks like an address is shown so that it reads as a path.
  for (const path of ["a:1", "127.0.0.1", "127.0.0.1:40", "calc.sock", "/run/a:1"]) {
    const shown = formatEndpoint({ path });
    assert(holds(shown) && !/^[^/]*:/.test(shown), shown);
  }
});

/** Fields that may have two types, with the reason. */
const twofold: Readonly<Record<string, readonly string[]>> = {
  asExpected: ["boolean", "count"], // whether one target is, and how many targets are
  reply: ["text", "{ p50Ms, p95Ms, p99Ms, maxMs }"], // the reply itself, and how long it took
  request: ["text", "text | null"], // a server may receive invalid UTF-8
};

Deno.test("a field has the same name and type in all events", () => {
  const kinds = new Map<string, string>();
  for (const [event, { fields }] of Object.entries(events)) {
    for (const [name, { name: kind }] of Object.entries(fields as Fields)) {
      assertEquals(/Ms$/.test(name), kind === "milliseconds", `${event}: ${name} is ${kind}`);
      if (twofold[name]?.includes(kind)) continue;
      assertEquals(kind, kinds.get(name) ?? kind, `${event}: ${name}`);
      kinds.set(name, kind);
    }
  }
});

Deno.test("docs/json.md has every event with its fields and a valid example", async () => {
  const page = await Deno.readTextFile(`${import.meta.dirname}/../docs/json.md`);
  const examples = examplesOf(page);
  assertEquals([...examples.keys()], Object.keys(events));
  for (const [name, line] of examples) {
    assertEquals(problemsOfLine(line), [], name);
    assertEquals(JSON.parse(line).event, name);
  }
  assertEquals(page, pageOfEvents(examples), "task docs updates it");
});

/** The names of the events in the lines of a command's stdout. */
function namesIn(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).event);
}

/** What a server prints while it is used, and until it has stopped. */
async function printedBy(
  args: readonly string[],
  use: (port: number, process: Process) => Promise<unknown>,
): Promise<string[]> {
  const { process, port } = await startServer([...args, "--json"]);
  await using _process = process;
  await use(port, process);
  return namesIn((await process.stop()).stdout);
}

/** What netdemo prints with `--json`, for a command that ends by itself. */
async function printedWith(...args: readonly string[]): Promise<string[]> {
  return namesIn((await netdemoInProcess([...args, "--json"])).stdout);
}

testWith([unix, strace, resets], "some command prints every event in the table", async () => {
  await using server = await startServer(["calc-server"]).then(({ process, port }) => ({
    port,
    target: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }));
  const nobody = await startNobody("127.0.0.1");
  await using _nobody = nobody;
  const ownAddress = "127.83.0.1:4040"; // Linux has all of 127.0.0.0/8, and nobody else uses this one
  const printed = [
    await printedBy(["calc-server", "--max-connections", "1", "--page"], async (port, process) => {
      using first = await TestConnection.open(port);
      await first.send("1 1 +\n");
      await first.receiveLines(1);
      using second = await TestConnection.open(port);
      await second.receiveAll();
      await process.printed(/"rejected"/);
    }),
    await printedBy(["message-server", "--udp"], async (port, process) => {
      using socket = new TestSocket();
      await socket.send(port, "Thanks...");
      await process.printed(/"ignored"/);
    }),
    await printedBy(["relay", "--fault", "delay=1ms", server.target], async (port, process) => {
      using ending = await TestConnection.open(port);
      await ending.send("1 1 +\n");
      await ending.receiveLines(1);
      await ending.conn.closeWrite();
      await process.printed(/"closed"/);
      const resetting = await dialResettable({ hostname: "127.0.0.1", port });
      await resetting.write(new TextEncoder().encode("1"));
      await process.printed(/"connection":2.*"data"/);
      resetting.reset?.();
      await process.printed(/"reset"/);
    }),
    await printedBy(["relay", `127.0.0.1:${nobody.port}`], async (port, process) => {
      using connection = await TestConnection.open(port);
      await process.printed(/"refused"/);
      await connection.receiveAll().catch(() => {});
    }),
    await printedByFailingAccept(),
    await printedWith("hello-client", server.target),
    await printedWith("calc-client", server.target, "1", "1", "+"),
    await printedWith("calc-client", `127.0.0.1:${nobody.port}`, "1", "1", "+"),
    await printedWith("address", "127.0.0.1:80"),
    await printedWith("demo", "hello"),
    await printedWith("check", server.target, "--count", "2", "--every", "0"),
    await printedWith("check", server.target, "--sizes", "40..60"),
    await printedWith("path", "--listen", ownAddress, ownAddress, "--only", "reply"),
    await printedWith("path", "--explain"),
    await printedWith("grade", "calc-server", server.target, "--only", "listens"),
  ].flat();
  assertEquals(Object.keys(events).filter((name) => !printed.includes(name)), []);
});

/** What a server prints whose first accept that finds a client fails. */
async function printedByFailingAccept(): Promise<string[]> {
  const inject = "inject=accept4:error=EPERM:when=2..4";
  await using traced = new Straced(["trace=accept4", inject], [
    ...netdemoCommand,
    ...["calc-server", "--host", "127.0.0.1", "--port", "0", "--json"],
  ]);
  const [, port] = await traced.process.printed(/"port":(\d+)/);
  await probe(Number(port));
  const [line] = await traced.process.printed(/^.*"accept-failed".*\n/m);
  return namesIn(line);
}
