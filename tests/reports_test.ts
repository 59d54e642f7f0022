import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Output } from "../cli/output/output.ts";
import type { Event } from "../cli/output/events.ts";
import { openReport } from "../cli/reports/open_report.ts";
import {
  endReport,
  type Report,
  type Result,
  type Status,
  type Summary,
} from "../cli/reports/report.ts";
import { textReport } from "../cli/reports/text.ts";
import { Failure } from "../cli/errors/failure.ts";
import { readTap, readXml, type XmlElement } from "./harness/report_readers.ts";

const summary: Summary = {
  event: { event: "summary", ok: false, exitCode: 1, elapsedMs: 5 },
  text: "1 of 7",
};

/** A result with what a command shows of it. */
interface Shown extends Result {
  readonly cells: readonly string[];
  readonly event: Event;
}

function result(status: Status, rest: Partial<Shown> = {}): Shown {
  return {
    id: status,
    status,
    sentence: `a thing that is ${status}`,
    cells: [status, "10.0.0.7"],
    event: { event: "question", id: status, status, elapsedMs: 1 },
    ...rest,
  };
}

const results: readonly Shown[] = [
  result("pass", { detail: "connect 0.4 ms", elapsedMs: 2.5 }),
  result("note", { detail: "seen as 127.0.0.1" }),
  result("fail", {
    detail: "accepted, then closed",
    type: "closed",
    elapsedMs: 1.1,
    more: { sent: "10 0 /", said: "Traceback\nZeroDivisionError" },
  }),
  result("allowed", { detail: "hangs" }),
  result("skip", { detail: "no --idle" }),
  result("not-judged", { detail: "not judged: see fail" }),
];

/** Data that a peer may send: controls, quotes, XML, a TAP directive, characters that XML can't hold. */
const HOSTILE = "# SKIP <b a=\"1\">&\\ \x1b[31m\u202e \ufffe 'q'\r\nok 99 - forged\n  ...\n]]>";

/** What a report with the flags prints to stdout. */
async function printed(
  flags: Flags,
  add: readonly Shown[] = results,
): Promise<string> {
  let text = "";
  const sink = {
    write(bytes: Uint8Array) {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const report = open(flags, new Output(sink));
  report.add(add);
  await report.end(summary);
  return text;
}

interface Flags {
  readonly json?: boolean;
  readonly tap?: boolean;
  readonly junit?: string;
  readonly name?: string;
}

function open({ json = false, tap = false, junit, name }: Flags, stdout: Output): Report<Shown> {
  return openReport<Shown>({
    command: "check",
    flags: { json, tap, junit, name },
    channels: { stdout, stderr: stdout },
    widths: [10, 0],
    row: ({ cells }) => cells,
    event: ({ event }) => event,
  });
}

/** The elements of the JUnit file, as a strict XML parser reads them. */
async function junit(add: readonly Shown[], name?: string): Promise<readonly XmlElement[]> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/report.xml`;
    await printed({ junit: path, ...name !== undefined && { name } }, add);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["report.xml"]);
    return readXml(await Deno.readTextFile(path));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("in a text report a result is a row, with more details below it", async () => {
  assertEquals(
    await printed({}),
    `ok   pass       10.0.0.7
note note       10.0.0.7
NOT  fail       10.0.0.7
      sent  10 0 /
      said  Traceback
            ZeroDivisionError
note allowed    10.0.0.7
skip skip       10.0.0.7
-    not-judged 10.0.0.7
1 of 7
`,
  );
});

Deno.test("a line keeps its leading spaces: a caret stays under its byte", async () => {
  const more = { want: "10  20", saw: "10  21\n     ^ byte 6 differs" };
  assertEquals(
    await printed({}, [result("fail", { more })]),
    `NOT  fail       10.0.0.7
      want  10  20
      saw   10  21
                 ^ byte 6 differs
1 of 7
`,
  );
});

Deno.test("--json prints one object per line, the summary last", async () => {
  const lines = (await printed({ json: true })).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(lines, [...results.map(({ event }) => event), summary.event]);
});

Deno.test("--tap prints TAP 14 that a harness reads, with allowed failures as TODO", async () => {
  const text = await printed({ tap: true });
  assert(text.startsWith("TAP version 14\n"), text);
  const { points, planned, errors } = readTap(text);
  assertEquals(
    points.map(({ ok, name, todo, skip }) => ({ ok, name, todo, skip })),
    [
      { ok: true, name: "a thing that is pass", todo: false, skip: false },
      { ok: true, name: "a thing that is note", todo: false, skip: false },
      { ok: false, name: "a thing that is fail", todo: false, skip: false },
      { ok: false, name: "a thing that is allowed", todo: "allowed", skip: false },
      { ok: true, name: "a thing that is skip", todo: false, skip: "no --idle" },
      { ok: true, name: "a thing that is not-judged", todo: false, skip: "not judged: see fail" },
    ],
  );
  assertEquals(points[2]?.diag, {
    id: "fail",
    message: "accepted, then closed",
    severity: "fail",
    type: "closed",
    sent: "10 0 /",
    said: "Traceback\nZeroDivisionError",
  });
  assertEquals(points[2]?.time, 1.1);
  assertEquals(planned, results.length);
  assertEquals(errors, []);
});

Deno.test("a TAP report without results has a plan that says so", async () => {
  assertEquals(await printed({ tap: true }, []), "TAP version 14\n1..0 # SKIP nothing to do\n");
});

Deno.test("--junit writes one test case per result, with the type of each failure", async () => {
  const [suites, suite, ...elements] = await junit(results);
  assertEquals(suites?.name, "testsuites");
  const { time: _, timestamp = "", ...totals } = suite?.attributes ?? {};
  assertEquals(totals, {
    name: "netdemo check",
    tests: "6",
    failures: "1",
    errors: "0",
    skipped: "3",
  });
  assert(!Number.isNaN(Date.parse(`${timestamp}Z`)));
  const cases = elements.filter(({ name }) => name === "testcase");
  assertEquals(cases.map(({ attributes }) => attributes.name), results.map((it) => it.sentence));
  assertEquals(cases[0]?.attributes, {
    classname: "netdemo.check",
    name: "a thing that is pass",
    time: "0.002500",
  });
  const failure = elements.find(({ name }) => name === "failure");
  assertEquals(failure?.attributes, { type: "closed", message: "accepted, then closed" });
  assertStringIncludes(failure?.text ?? "", "said: Traceback\nZeroDivisionError");
  assertEquals(
    elements.filter(({ name }) => name === "skipped").map(({ attributes }) => attributes.message),
    ["allowed: hangs", "no --idle", "not judged: see fail"],
  );
});

Deno.test("a run's name and repeated cases keep their test cases apart", async () => {
  const twice = [result("pass"), result("pass"), result("note"), result("pass")];
  const [, suite, ...elements] = await junit(twice, "west-1");
  assertEquals(suite?.attributes.name, "netdemo check west-1");
  const cases = elements.filter(({ name }) => name === "testcase");
  assertEquals(cases.map(({ attributes: { classname, name } }) => `${classname}: ${name}`), [
    "netdemo.check.west-1: a thing that is pass",
    "netdemo.check.west-1: a thing that is pass (2)",
    "netdemo.check.west-1: a thing that is note",
    "netdemo.check.west-1: a thing that is pass (3)",
  ]);
  const [last] = (await printed({ json: true, name: "west-1" })).trimEnd().split("\n").slice(-1);
  assertEquals(JSON.parse(last ?? "").name, "west-1");
});

Deno.test("a run's time does not depend on the wall clock", async () => {
  const { now } = Date;
  Date.now = () => 0;
  try {
    const [suites] = await junit(results);
    assert(Number(suites?.attributes.time) >= 0, suites?.attributes.time);
  } finally {
    Date.now = now;
  }
});

Deno.test("a file that can't be written is named, and the other reports are written", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/x.xml`;
  let text = "";
  const stdout = new Output({
    write(bytes) {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  const report = open({ junit: path }, stdout);
  report.add(results);
  await Deno.mkdir(path);
  const { message } = await assertRejects(() => report.end(summary), Failure);
  const file = `cannot write the JUnit file ${path}`;
  assert([`${file}: is a directory`, `${file}: invalid parameter`].includes(message), message);
  assertStringIncludes(text, "1 of 7");
  assertEquals([...Deno.readDirSync(folder)].length, 1);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a report that can't be written does not hide the command's own failure", async () => {
  const reason = new Failure("ERROR", "cannot write the file", { hint: "make room" });
  const unwritable = { add: () => {}, end: () => Promise.reject(reason) };
  const own = new Failure("TIMEOUT", "it took too long", { hint: "give it more time" });
  const both = await assertRejects(() => endReport(unwritable, {}, own), Failure);
  assertEquals(both.message, "it took too long; cannot write the file");
  assertEquals([both.exitCode, both.hint], [124, "give it more time"]);
  assertEquals(await assertRejects(() => endReport(unwritable, {}, undefined)), reason);
});

Deno.test("data from a peer can't forge a report", async () => {
  const hostile = ["pass", "fail", "skip", "allowed"].map((status) =>
    result(status as Status, {
      sentence: HOSTILE,
      detail: HOSTILE,
      type: HOSTILE,
      more: { said: HOSTILE },
      cells: [HOSTILE, HOSTILE],
    })
  );
  const { points, planned, errors } = readTap(await printed({ tap: true }, hostile));
  assertEquals(points.map(({ ok, skip }) => ok && skip === false), [true, false, false, false]);
  assertEquals(planned, hostile.length);
  assertEquals(errors, []);

  const elements = await junit(hostile);
  assertEquals(elements.filter(({ name }) => name === "testcase").length, hostile.length);
  assertEquals(elements.filter(({ name }) => name === "b"), []);
  // deno-lint-ignore no-control-regex -- an escape must not reach the terminal
  assert(!/[\x00-\x09\x0b-\x1f\u202e]/.test(await printed({}, hostile)));
});

Deno.test("--json with --tap, or an impossible JUnit file, is wrong usage", async () => {
  const nowhere = new Output({ write: (bytes) => Promise.resolve(bytes.length) });
  for (const flags of [{ json: true, tap: true }, { junit: "/no/such/folder/x" }, { junit: "." }]) {
    assertEquals(assertThrows(() => open(flags, nowhere), Failure).kind, "USAGE");
  }
  const folder = await Deno.makeTempDir();
  const report = open({ junit: `${folder}/x.xml` }, nowhere);
  await Deno.remove(folder);
  const failure = await assertRejects(() => report.end(summary), Failure, "cannot write");
  assertEquals(failure.kind, "ERROR");
});

Deno.test("the JUnit file is written even if the reader of stdout has gone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const report = open(
      { junit: `${folder}/x.xml` },
      new Output({
        write: () =>
          Promise.reject(Object.assign(new Deno.errors.BrokenPipe("gone"), { code: "EPIPE" })),
      }),
    );
    report.add(results);
    await assertRejects(() => report.end(summary), Deno.errors.BrokenPipe);
    assertEquals(readXml(await Deno.readTextFile(`${folder}/x.xml`)).length > 6, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a row too long for the terminal continues below, broken between words", async () => {
  let text = "";
  const stdout = new Output({
    write(bytes: Uint8Array) {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  const report = textReport<Shown>(stdout, {
    display: { columns: 40, color: false, unicode: true },
    isTerminal: true,
    widths: [10, 4],
    row: ({ cells }) => cells,
  });
  report.add([result("pass", { cells: ["web:4040", "ok", "connect 0.4 ms"] })]);
  const long = "connect 0.4 ms  (and a note that is longer than one line of it)";
  report.add([result("fail", { cells: ["web:4040", "ok", long], more: { why: long } })]);
  await report.end({ event: summary.event });
  assertEquals(
    text,
    `ok   web:4040   ok   connect 0.4 ms
NOT  web:4040   ok
      connect 0.4 ms  (and a note that
      is longer than one line of it)
      why  connect 0.4 ms  (and a note
           that is longer than one line
           of it)
`,
  );
});
