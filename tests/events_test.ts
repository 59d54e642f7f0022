import { assert, assertEquals } from "@std/assert";
import { events, problemsOfLine } from "../cli/output/events.ts";
import { examplesOf, pageOfEvents } from "../build/docs.ts";
import { formatEndpoint } from "../protocol/addresses.ts";
import type { Fields } from "../cli/output/event_fields.ts";

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

Deno.test("some command prints every event in the table", async () => {
  const printed = new Set<string>();
  for (const room of ["cli", "commands"]) {
    for await (const source of sourcesOf(`${import.meta.dirname}/../${room}`)) {
      for (const [, name = ""] of source.matchAll(/\b(?:event|what): "([\w-]+)"/g)) {
        printed.add(name);
      }
    }
  }
  assertEquals(Object.keys(events).filter((name) => !printed.has(name)), []);
});

async function* sourcesOf(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sourcesOf(`${folder}/${name}`);
    else yield await Deno.readTextFile(`${folder}/${name}`);
  }
}
