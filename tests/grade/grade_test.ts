import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { Child } from "../../commands/grade/program/child.ts";
import { problemsOfLine } from "../harness/events.ts";
import { netdemoInProcess } from "../harness/in_process.ts";
import { linux, python, python3, pythonTest, testWith, tool, unix } from "../harness/needs.ts";
import { executable, netdemo, netdemoCommand, Process, run } from "../harness/process.ts";
import { until } from "../harness/system.ts";
import { readTap, readXml } from "../harness/report_readers.ts";

const programs = `${import.meta.dirname}/programs`;
const server = [python(), `${programs}/calc_server.py`, "{port}"];

/** A folder of its own for a test; it is removed with its scope. */
class Folder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync();

  /** Writes a Python program; returns its path. */
  async python(text: string): Promise<string> {
    const path = `${this.path}/program.py`;
    await Deno.writeTextFile(path, text);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A server that answers the lesson's first request, and divides without checking the divisor. */
const DIVIDES_BY_ZERO = `
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    while data := client.recv(1024):
        a, b, operator = data.decode().split()
        a, b = int(a), int(b)
        if operator == "/":
            answer = f"Div of {a} and {b} is {a / b}"
        elif operator == "*":
            answer = f"Product of {a} and {b} is {a * b}"
        elif operator == "-":
            answer = f"Diff of {a} and {b} is {a - b}"
        else:
            answer = f"Sum of {a} and {b} is {a + b}"
        client.send(answer.encode())
    client.close()
`;

/** Where a program is. */
async function pathOf(name: string): Promise<string> {
  return (await run(["sh", "-c", 'command -v "$1"', "sh", name])).stdout.trim();
}

/** The checks that a report skips, without `reset` if an executable's older Deno can't do it. */
function skipped(stdout: string): string[] {
  return [...stdout.matchAll(/^skip (\S+)/gm)].map(([, id = ""]) => id)
    .filter((id) => id !== "reset" || executable === undefined);
}

Deno.test("wrong usage starts nothing and shows what to type", async () => {
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[], /needs to know what the program is\nhint: .*calc-server/],
    [
      ["calc-servr", "--", "x"],
      /'calc-servr' is not a program .*\nhint: did you mean calc-server\?/,
    ],
    [["calc-server"], /needs the command .*\nhint: .* -- py(?:thon3)? program\.py "\{port\}"/],
    [
      ["calc.talk"],
      /is not a program .*\nhint: .* netdemo grade server --talk calc\.talk -- COMMAND/,
    ],
    [["calc-server", "--"], /needs the command/],
    [["calc-server", "python3", "server.py"], /hint: .* grade calc-server -- python3 server\.py/],
    [
      ["server", "--talk", "my calc.talk", "python3", "server.py", "{port}"],
      /hint: .* grade --talk ["']my calc\.talk["'] server -- python3 server\.py ["']\{port\}["']\n/,
    ],
    [["calc-server", "--level", "robst", "--", "x"], /hint: did you mean robust\?/],
    [
      ["calc-server", "--level", "robust", "--only", "restrat", "--", "x"],
      /hint: did you mean restart\?/,
    ],
    [["calc-client", "localhost:4040"], /a client has no TARGET/],
    [["calc-server", "localhost:4040", "--", "x"], /can't both be given/],
    [["calc-server", "localhost"], /is not a target/],
    [["calc-server", "unix:/tmp/x"], /over TCP and UDP|not available on Windows/],
    [["calc-server", "--level", "robust", "192.0.2.1:4040"], /hint: .*--i-may-break-it/],
    [["calc-server", "--port", "0", "--", "x"], /--port must be a whole number from 1/],
    [
      ["calc-server", "--gradescope", "/no/such/folder/r.json", "--", "x"],
      /cannot write Gradescope/,
    ],
    [["--explain", "restrat"], /hint: did you mean restart\?/],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await netdemoInProcess(["grade", ...args]);
    assertEquals({ code, stdout }, { code: 2, stdout: "" }, args.join(" "));
    assertMatch(stderr, message);
    assertMatch(stderr, /^netdemo: USAGE: /);
  }
});

Deno.test("a program that ends at once, and was not told its port, is shown how", async () => {
  for (
    const [given, fix] of [["", /fix +.*write "\{port\}"/], [
      "{port}",
      /fix +find out why/,
    ]] as const
  ) {
    const program = [Deno.execPath(), "eval", "Deno.exit(1)", given];
    const args = ["grade", "calc-server", "--only", "listens", "--", ...program];
    assertMatch((await netdemoInProcess(args)).stdout, fix);
  }
});

Deno.test("--list shows the checks by level, --explain everything about one", async () => {
  const { stdout: list } = await netdemoInProcess(["grade", "calc-server", "--list"]);
  assertMatch(list, /^lesson listens {6}starts and listens\n/);
  assertMatch(list, /\nrobust zero {9}survives a division by zero\n/);
  assertNotMatch(list, /refused|prints/);
  const { stdout, code } = await netdemoInProcess(["grade", "--explain", "hangs-up"]);
  assertEquals(code, 0);
  for (const part of ["hangs-up: survives", "level  robust", "how ", "why ", "fix "]) {
    assert(stdout.includes(part), part);
  }
});

testWith(
  [unix],
  "a program that can't be started is exit code 126 or 127, as in a shell",
  async () => {
    await using folder = new Folder();
    const path = await folder.python("print(1)");
    const missing = await netdemoInProcess(["grade", "calc-server", "--", "./no-such-program"]);
    assertEquals({ ...missing, stderr: "" }, { code: 127, stdout: "", stderr: "" });
    assertMatch(missing.stderr, /^netdemo: ERROR: cannot start .*\nhint: check the spelling/);
    const quoted = await netdemoInProcess([
      "grade",
      "calc-server",
      "--",
      "python3 server.py {port}",
    ]);
    assertMatch(quoted.stderr, /hint: leave out the quotes/);
    const line = ["grade", "calc-server", "--", "no_such.py", "{port}"];
    const script = await netdemoInProcess(line);
    assertMatch(script.stderr, /hint: name the interpreter: -- \S+ no_such\.py "\{port\}"\n/);
    const denied = await netdemoInProcess(["grade", "calc-server", "--json", "--", path]);
    assertEquals(denied.code, 126);
    assertMatch(denied.stderr, /hint: make it executable/);
    assertMatch(denied.stdout, /^\{"event":"failure",.*"exitCode":126/);
  },
);

Deno.test("reports say why nothing could be examined", async () => {
  await using folder = new Folder();
  const [xml, results] = [`${folder.path}/r.xml`, `${folder.path}/results.json`];
  for (const subject of [["--", "./no-such-program"], ["127.0.0.1:1"]]) {
    const flags = ["--tap", "--junit", xml, "--gradescope", results];
    const { stdout, stderr } = await netdemoInProcess([
      "grade",
      "calc-server",
      ...flags,
      ...subject,
    ]);
    const [, message = ""] = /^netdemo: [A-Z]+: (.*)\n/.exec(stderr) ?? [];
    assertMatch(message, /^cannot /);
    assertEquals(stdout, `TAP version 14\nBail out! ${message}\n`);
    const tap = readTap(stdout);
    assertEquals([tap.ok, tap.points.length], [false, 0]);
    const elements = readXml(await Deno.readTextFile(xml));
    const [error] = elements.filter(({ name }) => name === "error");
    assertEquals(error?.attributes["message"], message);
    assertEquals(elements[0]?.attributes["errors"], "1");
    const { output, tests } = JSON.parse(await Deno.readTextFile(results));
    assertEquals([output, tests.length], [message, 5]);
  }
});

Deno.test("a check of --only that would not run is wrong usage", async () => {
  const wrong: readonly (readonly [flags: readonly string[], message: RegExp])[] = [
    [["--only", "zero"], /zero is not a check of --level lesson\nhint: .*--level stream/],
    [["--only", "answers,split", "--level", "robust"], /split is not a check of --level robust/],
    [["--lines", "--only", "no-newline"], /--lines leaves out the check no-newline/],
  ];
  for (const [flags, message] of wrong) {
    const { code, stderr } = await netdemoInProcess([
      "grade",
      "calc-server",
      ...flags,
      "--",
      "true",
    ]);
    assertEquals(code, 2);
    assertMatch(stderr, message);
  }
});

Deno.test("what a conversation file shows itself is neither a flag nor advice beside it", async () => {
  await using folder = new Folder();
  const file = `${folder.path}/open.talk`;
  await Deno.writeTextFile(file, "> {word}\n< {upper(word)}\n\n== again\n> {v}\n< {v}\n");
  const graded = (...flags: string[]) =>
    netdemoInProcess(["grade", "server", "--talk", file, ...flags]);
  const titled = await graded("--only", "again", "--", "true");
  assertMatch(titled.stderr, /is not one of the checks\nhint: its id is talk-2\n/);
  const wrong = [
    ["--lines", /a conversation file shows its line ends\nhint: end each line of the file/],
    ["--udp", /is held over TCP\nhint: .*udp in the file's first line/],
  ] as const;
  for (const [flag, message] of wrong) {
    const { code, stderr } = await graded(flag, "--", "true");
    assertEquals(code, 2);
    assertMatch(stderr, message);
  }
  const { stdout } = await graded("--explain", "no-newline");
  assertMatch(stdout, /show them in the file: \\n/);
  assert(!stdout.includes("--lines"), stdout);
});

testWith([unix], "a results.json is written through a link, and to a pipe", async () => {
  await using folder = new Folder();
  const [file, link, pipe] = ["file", "link", "pipe"].map((name) => `${folder.path}/${name}`);
  await Deno.writeTextFile(file!, "");
  await Deno.symlink(file!, link!);
  await run(["mkfifo", pipe!]);
  const grade = (path: string) =>
    netdemoInProcess(["grade", "calc-server", "--gradescope", path, "--", "./no-such-program"]);
  await grade(link!);
  assert((await Deno.lstat(link!)).isSymlink);
  assertEquals(JSON.parse(await Deno.readTextFile(file!)).tests.length, 5);
  await using reader = new Process(["cat", pipe!]);
  // The report is written twice: at the start, and with the reason for the end.
  const keepOpen = await Deno.open(pipe!, { read: true, write: true });
  await grade(pipe!);
  keepOpen.close();
  const { stdout } = await reader.ended();
  assertEquals(stdout.match(/"tests"/g)?.length, 2);
  assert((await Deno.lstat(pipe!)).isFifo);
});

pythonTest("a failure shows what was sent and seen, why it matters and how to fix it", async () => {
  await using folder = new Folder();
  const command = [python(), await folder.python(DIVIDES_BY_ZERO), "{port}"];
  const only = ["--level", "robust", "--only", "zero,operations", "--seed", "7"];
  const ended = await netdemoInProcess(["grade", "calc-server", ...only, "--", ...command]);
  assertEquals(ended.code, 1);
  assertEquals(
    ended.stdout.replace(/, [\d.]+ s\)/, ", 0 s)"),
    `ok   operations   calculates + - * /, also with negative numbers
FAIL zero         survives a division by zero
      sent  10 0 /
      saw   the connection closed; your program ended (exit code 1)
      said  ZeroDivisionError: division by zero
            program.py, line 10: answer = f"Div of {a} and {b} is {a / b}"
      why   one client's bad request must not end the server for all others
      fix   check the divisor first, answer "Error: division by zero", and go on
lesson 1 of 1, robust 0 of 1 (seed 7, 0 s)
`,
  );
  assertEquals(
    ended.stderr,
    "netdemo: ERROR: 1 of 2 checks failed\nhint: netdemo grade --explain zero\n",
  );
});

pythonTest("a caret points to the first wrong byte", async () => {
  await using folder = new Folder();
  const program = DIVIDES_BY_ZERO.replace("Sum of {a}", "Sum of\\x1b[31m{a}");
  const command = [python(), await folder.python(program), "{port}"];
  const { stdout, code } = await netdemoInProcess(["grade", "calc-server", "--", ...command]);
  assertEquals(code, 1);
  assertMatch(
    stdout,
    / want {2}Sum of 10 and 20 is 30\n {6}saw {3}Sum of\\x1b\[31m10 and 20 is 30\n {18}\^ byte 7 differs\n/,
  );
  // What the program sends never reaches the terminal raw.
  assert(!stdout.includes("\x1b"));
});

pythonTest("JSON, TAP, JUnit and Gradescope reports say the same to a parser", async () => {
  await using folder = new Folder();
  const command = [python(), await folder.python(DIVIDES_BY_ZERO), "{port}"];
  const about = ["--level", "robust", "--only", "answers,zero"];
  const files = ["--junit", `${folder.path}/j.xml`, "--gradescope", `${folder.path}/results.json`];
  const graded = (...flags: string[]) =>
    netdemoInProcess(["grade", "calc-server", ...about, ...flags, "--", ...command]);

  const [json, tap] = await Promise.all([graded("--json", ...files), graded("--tap")]);
  const lines = json.stdout.trimEnd().split("\n");
  assertEquals(lines.flatMap(problemsOfLine), []);
  const events = lines.map((line) => JSON.parse(line));
  assertEquals(
    events.map(({ event, id, status }) => [event, id, status]),
    [
      ["check", "answers", "pass"],
      ["check", "zero", "fail"],
      ["summary", undefined, undefined],
      ["failure", undefined, undefined],
    ],
  );
  assertEquals(events[1].sent, "10 0 /");
  assertMatch(events[1].said, /^ZeroDivisionError: division by zero\nprogram.py, line 10: /);
  assertEquals(
    [events[2].ok, events[2].checks, events[2].failed, events[2].exitCode],
    [false, 2, 1, 1],
  );

  const { points, errors } = readTap(tap.stdout);
  assertEquals(errors, []);
  assertEquals(points.map(({ ok }) => ok), [true, false]);

  const cases = readXml(await Deno.readTextFile(`${folder.path}/j.xml`));
  assertEquals(cases.filter(({ name }) => name === "testcase").length, 2);
  assertEquals(cases.filter(({ name }) => name === "failure").length, 1);

  const { tests } = JSON.parse(await Deno.readTextFile(`${folder.path}/results.json`));
  assertEquals(
    tests.map(({ name, score, max_score, status }: Record<string, unknown>) => [
      name,
      score,
      max_score,
      status,
    ]),
    [
      ['answers: answers "10 20 +"', 1, 1, "passed"],
      ["zero: survives a division by zero", 0, 1, "failed"],
    ],
  );
  assertMatch(tests[1].output, /sent {2}10 0 \/[^]*ZeroDivisionError/);
});

pythonTest("a run cut off by --max-time says so, and leaves a results.json", async () => {
  await using folder = new Folder();
  const path = await folder.python("import time\ntime.sleep(100)");
  const ended = await netdemoInProcess([
    ...["grade", "calc-server", "--max-time", "700ms", "--tap", "--junit", `${folder.path}/r.xml`],
    ...["--gradescope", `${folder.path}/results.json`, "--", python(), path],
  ]);
  assertEquals(ended.code, 124);
  assertEquals(readTap(ended.stdout).ok, false);
  assertMatch(ended.stdout, /\nBail out! the examination did not finish within 0\.7 s\n$/);
  assertMatch(await Deno.readTextFile(`${folder.path}/r.xml`), /<testsuites [^>]* errors="1"/);
  assertMatch(ended.stderr, /^netdemo: TIMEOUT: .* 0\.7 s\nhint: .*--max-time/);
  const { tests } = JSON.parse(await Deno.readTextFile(`${folder.path}/results.json`));
  assertEquals(tests.map(({ score }: { score: number }) => score), [0, 0, 0, 0, 0]);
});

pythonTest("what a run that is cut off leaves is one line, below what was found", async () => {
  const { stdout } = await netdemoInProcess([
    ...["grade", "calc-server", "--max-time", "700ms", "--seed", "1", "--"],
    ...[python(), "-c", "import time; time.sleep(100)"],
  ]);
  assertMatch(stdout, /^lesson 0 of 5; 5 not judged: the examination did not .* \(seed 1, .*\)\n$/);
});

pythonTest("a running server is examined without the checks that need its process", async () => {
  const port = "20000";
  await using running = new Process([python(), "-c", RUNS_ALREADY]);
  const [, where = port] = await running.printed(/^port (\d+)\n/);
  const { code, stdout } = await netdemoInProcess([
    ...["grade", "calc-server", "--level", "robust", "--skip", "eval", `:${where}`],
  ]);
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^ok {3}two-clients /m);
  assertMatch(stdout, /^skip busy .*give its command after --$/m);
  assertEquals(skipped(stdout), ["busy", "leak", "restart", "ctrl-c"]);
  assertMatch(stdout, /\nlesson 5 of 5, robust (\d+) of \1 /);
  await running.stop();
  const gone = await netdemoInProcess(["grade", "calc-server", `127.0.0.1:${where}`]);
  assertEquals(gone.code, 11);
  assertMatch(gone.stderr, /^netdemo: REFUSED: cannot connect to 127\.0\.0\.1:\d+/);
});

pythonTest("a running server that dies fails one check only", async () => {
  const program = DIVIDES_BY_ZERO.replace("int(sys.argv[1])", "0").replace(
    "while True:",
    'print("port", server.getsockname()[1], flush=True)\nwhile True:',
  );
  await using running = new Process([python(), "-c", program]);
  const [, port = ""] = await running.printed(/^port (\d+)\n/);
  const { code, stdout } = await netdemoInProcess([
    ...["grade", "calc-server", "--level", "robust", `:${port}`],
  ]);
  assertEquals(code, 1);
  assertEquals([...stdout.matchAll(/^FAIL (\S+)/gm)].map(([, id]) => id), ["zero"]);
  assertMatch(stdout, /^- {4}words {8}not judged: see zero$/m);
});

pythonTest("without the system's tools, checks are skipped and none fails", async () => {
  await using folder = new Folder();
  const grading = await run([
    ...netdemoCommand,
    ...["grade", "calc-server", "--level", "robust", "--skip", "eval", "--", python()],
    ...[`${programs}/calc_server.py`, "{port}"],
  ], { env: { PATH: folder.path } });
  assertEquals(grading.code, 0, grading.stdout + grading.stderr);
  assertMatch(grading.stdout, /^skip busy {9}no tool here/m);
  assertMatch(grading.stdout, /^skip leak {9}no tool here/m);
  assertEquals(skipped(grading.stdout), ["busy", "leak"]);
  assertMatch(grading.stdout, /\nlesson 5 of 5, robust (\d+) of \1 /);
});

for (const finder of ["ss", "lsof", "netstat"]) {
  testWith(
    [linux, python3, tool(finder)],
    `with ${finder} alone, grade finds the port that a program listens on`,
    async () => {
      await using folder = new Folder();
      // What reads the program's processes, and the one tool that lists sockets.
      for (const name of ["sh", "cat", finder]) {
        await Deno.symlink(await pathOf(name), `${folder.path}/${name}`);
      }
      const text = await Deno.readTextFile(`${programs}/calc_server.py`);
      const program = await folder.python(text.replace("int(sys.argv[1])", "0"));
      const grading = await run(
        [...netdemoCommand, "grade", "calc-server", "--", python(), program],
        { env: { PATH: folder.path } },
      );
      assertEquals(grading.code, 0, grading.stdout + grading.stderr);
      assertMatch(grading.stdout, /\nlesson 5 of 5 /);
    },
  );
}

const RUNS_ALREADY = (await Deno.readTextFile(`${programs}/calc_server.py`))
  .replace("int(sys.argv[1])", "0")
  .replace(
    "server.listen(5)",
    'server.listen(5)\nprint("port", server.getsockname()[1], flush=True)',
  );

pythonTest("the port is {port}, PORT, --port, or the one that the program listens on", async () => {
  await using folder = new Folder();
  const text = await Deno.readTextFile(`${programs}/calc_server.py`);
  const fixed = 29_000 + Deno.pid % 900;
  const variants: readonly (readonly [port: string, flags: readonly string[]])[] = [
    ['int(__import__("os").environ["PORT"])', []],
    [String(fixed), ["--port", String(fixed)]],
    ["0", []],
    ["int(input())", ["--input", "{port}\\n"]],
  ];
  for (const [port, flags] of variants) {
    const path = await folder.python(text.replace("int(sys.argv[1])", port));
    const ended = await netdemoInProcess([
      ...["grade", "calc-server", "--only", "answers", ...flags, "--", python(), path],
    ]);
    assertEquals(ended.code, 0, ended.stdout);
  }
});

pythonTest("a fixed port is free at each start, without SO_REUSEADDR", async () => {
  await using folder = new Folder();
  const fixed = 28_000 + Deno.pid % 900;
  const text = await Deno.readTextFile(`${programs}/lesson/message_server.py`);
  const path = await folder.python(text.replace("int(sys.argv[1])", String(fixed)));
  // It serves one client, closes first, and ends: each check starts it anew.
  const { stdout, stderr } = await netdemoInProcess([
    ...["grade", "message-server", "--level", "robust", "--port", String(fixed)],
    ...["--only", "answers,no-newline,prints,hangs-up,long-word,ctrl-c", "--", python(), path],
  ]);
  assertMatch(stdout, /^ok {3}hangs-up /m);
  assertNotMatch(stdout + stderr, /is held by|in use|^FAIL/m);
});

pythonTest("eight examinations at once blame no program for a port", async () => {
  const graded = await Promise.all(
    Array.from(
      { length: 8 },
      () =>
        run([...netdemoCommand, "grade", "calc-server", "--only", "next-client", "--", ...server]),
    ),
  );
  assertEquals(graded.map(({ code }) => code), Array(8).fill(0), graded[0]?.stdout);
});

pythonTest("a port in use is wrong usage, not the program's mistake", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ended = await netdemoInProcess([
    ...["grade", "calc-server", "--port", String(listener.addr.port), "--", ...server],
  ]);
  assertEquals(ended.code, 2);
  assertMatch(ended.stderr, /port \d+ is in use\nhint: /);
});

pythonTest("--input is what a client gets on stdin", async () => {
  const { code, stdout } = await netdemoInProcess([
    ...["grade", "calc-client", "--json", "--input", "6 7 *\\n"],
    ...["--", python(), `${programs}/calc_client.py`, "{port}"],
  ]);
  assertEquals(code, 0, stdout);
});

/** What a program may do to keep running; a mark in its command line identifies it. */
const stubborn: Readonly<Record<string, string>> = {
  "forks and leaves the session": `
import os, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        time.sleep(100)
time.sleep(100)`,
  "puts itself into the background": `
import os, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
time.sleep(100)`,
  "ignores signals": `
import signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
time.sleep(100)`,
  "prints without end": `
import sys
while True:
    sys.stdout.write("x" * 10000)
    sys.stderr.write("y" * 10000)`,
  "closes its outputs and sleeps": `
import os, time
os.close(1)
os.close(2)
time.sleep(100)`,
};

testWith([linux], "nothing is left running, whatever the program does", async () => {
  await Promise.all(
    Object.entries(stubborn).map(async ([what, text], index) => {
      const mark = `stubborn-${Deno.pid}-${index}`;
      const startedAt = performance.now();
      const ended = await netdemoInProcess([
        ...["grade", "calc-server", "--max-time", "2500ms"],
        ...["--", python(), "-c", text, mark],
      ]);
      assert([1, 124].includes(ended.code), `${what}: ${ended.code} ${ended.stderr}`);
      assert(performance.now() - startedAt < 20_000, what);
      await until(() => commandLinesWith(mark).length === 0, `${what}: it ends`);
    }),
  );
});

pythonTest("a program that uses too much memory is stopped, and its report says so", async () => {
  const text = "import time; kept = b'x' * 100_000_000; time.sleep(100)";
  const child = new Child({ command: [python(), "-c", text], env: {}, maxMemory: 80 });
  try {
    assert(await child.endsWithin(60_000));
    assertEquals(child.ending, "used more than 80 MB of memory and was stopped");
  } finally {
    await child.stop();
  }
});

testWith(
  [linux],
  "on Ctrl-C, SIGTERM and SIGHUP the program ends with its examination",
  async () => {
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
      const mark = `interrupted-${Deno.pid}-${signal}`;
      await using grading = new Process([
        ...netdemoCommand,
        ...["grade", "calc-server", "--", python(), "-c", stubborn["ignores signals"] ?? "", mark],
      ]);
      // The command line of grade has the mark as well.
      await until(() => commandLinesWith(mark).length === 2, "the program runs");
      assertEquals((await grading.stop(signal)).code, code);
      await until(() => commandLinesWith(mark).length === 0, "the program ends");
    }
  },
);

/** Command lines of this machine's processes that contain a text. */
function commandLinesWith(text: string): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (line.includes(text)) found.push(line);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

pythonTest("the same seed asks the same questions", async () => {
  const sent = async (): Promise<string[]> => {
    const { stdout } = await netdemoInProcess([
      ...["grade", "calc-client", "--seed", "5", "--", python(), "-c"],
      "import socket,sys; s=socket.create_connection(('127.0.0.1',int(sys.argv[1]))); s.send(b'?')",
      "{port}",
    ]);
    return [...stdout.matchAll(/sent {2}(.*) \(typed\)/g)].map(([, text = ""]) => text);
  };
  const [first = [], second] = await Promise.all([sent(), sent()]);
  assertEquals(first.length, 1);
  assertEquals(first, second);
});

Deno.test("help says that grade is not a sandbox", async () => {
  const { stdout } = await netdemo(["help", "grade"]);
  assertMatch(stdout, /not a sandbox/);
  for (const flag of ["--level", "--lines", "--only", "--gradescope", "--i-may-break-it"]) {
    assert(stdout.includes(flag), flag);
  }
});

testWith([unix, python3], "a program that can't be killed doesn't hold grade up", async () => {
  const child = new Child({ command: [python(), "-c", "import time; time.sleep(100)"], env: {} });
  const { kill } = Deno;
  // As for a program that became another user: a real one takes a setuid executable.
  Deno.kill = () => {
    throw new Deno.errors.PermissionDenied();
  };
  try {
    await child.stop();
    assertEquals(child.ended, undefined);
  } finally {
    Deno.kill = kill;
    child.signal("SIGKILL");
    assert(await child.endsWithin(60_000));
  }
});

pythonTest("a client that asks again and again after its reply fails ends", async () => {
  await using folder = new Folder();
  const path = await folder.python(`
import socket, sys, time
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
command = input().encode()
while True:
    server.sendall(command)
    print(server.recv(1024).decode(), flush=True)
    time.sleep(0.5)`);
  const { code, stdout } = await netdemoInProcess([
    ...["grade", "calc-client", "--only", "ends", "--", python(), path, "{port}"],
  ]);
  assertEquals(code, 1);
  assertEquals([...stdout.matchAll(/^FAIL (\S+)/gm)].map(([, id]) => id), ["ends"], stdout);
});

/** Deletes the folder it runs in, leaves a process behind, and serves one client. */
const DELETES_ITS_FOLDER = `
import os, sys, time
os.rmdir(os.getcwd())
if os.fork() == 0:
    os.setsid()
    time.sleep(100)
` + DIVIDES_BY_ZERO.replace("    client.close()\n", "    sys.exit()\n");

testWith([linux, python3], "a program may delete the folder that it runs in", async () => {
  await using folder = new Folder();
  const cwd = `${folder.path}/working`;
  await Deno.mkdir(cwd);
  const program = await folder.python(DELETES_ITS_FOLDER);
  const { code, stdout } = await run(
    [...netdemoCommand, "grade", "calc-server", "--", python(), program, "{port}"],
    { cwd },
  );
  assertEquals(code, 1, stdout);
  assertMatch(stdout, /can't be started: the folder that it runs in is gone/);
  await until(() => commandLinesWith(program).length === 0, "nothing is left running");
});

testWith([linux, python3], "a stdin that nobody reads doesn't hold grade up", async () => {
  await using folder = new Folder();
  const path = await folder.python(`
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(100)`);
  const startedAt = performance.now();
  const { code, stdout } = await run([
    ...[...netdemoCommand, "grade", "calc-client", "--input", "1".repeat(120_000)],
    ...["--", python(), path],
  ]);
  assertEquals(code, 1, stdout);
  assert(performance.now() - startedAt < 30_000, stdout);
});
