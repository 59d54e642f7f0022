import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { rowsOf } from "../../commands/grade/class/row.ts";
import { csvOf, tableLines } from "../../commands/grade/class/table.ts";
import { levels } from "../../commands/grade/subjects.ts";
import { widthOf } from "../../text/width.ts";
import { netdemoInProcess } from "../harness/in_process.ts";
import { linux, python3, pythonTest, root, testWith, tool } from "../harness/needs.ts";
import { netdemoCommand, Process } from "../harness/process.ts";
import { readTap, readXml } from "../harness/report_readers.ts";
import { until } from "../harness/system.ts";
import { thirty, three, writeClass } from "./class_submissions.ts";

/** A folder for a class, and one for its reports; both are removed with their scope. */
class Classroom implements AsyncDisposable {
  readonly #path = Deno.makeTempDirSync();
  readonly submissions = `${this.#path}/class`;

  constructor() {
    Deno.mkdirSync(this.submissions);
    Deno.chmodSync(this.#path, 0o755);
  }

  /** Path of a report. */
  report(name: string): string {
    return `${this.#path}/${name}`;
  }

  /** The command line that grades it. */
  grade(flags: readonly string[], command = ["python3", "server.py", "{port}"]): string[] {
    return ["grade", "calc-server", "--class", this.submissions, ...flags, "--", ...command];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#path, { recursive: true });
  }
}

const named = (name: string) => thirty.filter((one) => one.name === name);

interface Line {
  readonly event: string;
  readonly submission?: string;
  readonly [field: string]: unknown;
}

const linesOf = (stdout: string): Line[] =>
  stdout.trim().split("\n").map((line) => JSON.parse(line));

pythonTest("each report of a class shows each submission as if it were alone", async () => {
  await using room = new Classroom();
  await writeClass(room.submissions, three);
  const [csv, html, junit] = ["csv", "html", "xml"].map((end) => room.report(`class.${end}`));
  const flags = ["--max-time", "9s", "--timeout", "500ms", "--seed", "7"];
  const files = ["--csv", csv!, "--html", html!, "--junit", junit!];
  const { code, stdout } = await netdemoInProcess(
    room.grade([...flags, ...files, "--jobs", "3", "--json"]),
  );
  assertEquals(code, 1);
  const lines = linesOf(stdout);
  const [hangs, wrong, right] = ["=ben 10", "ben 2", "Ötzi <b>&amp;"].map((name) => {
    const own = lines.filter(({ submission }) => submission === name);
    assertEquals(own.filter(({ event }) => event === "check").length, 5, name);
    return own.find(({ event }) => event === "summary");
  });
  assertEquals([right?.ok, right?.passed, right?.offences], [true, 5, []]);
  assertEquals([wrong?.ok, wrong?.passed, wrong?.failed], [false, 4, 1]);
  assertEquals([hangs?.ok, hangs?.offences], [false, ["took longer than 9 s"]]);
  const [total] = lines.filter(({ event, submission }) =>
    event === "summary" && submission === undefined
  );
  assertEquals([total?.submissions, total?.passedAll, total?.seed], [3, 1, 7]);

  const table = await Deno.readTextFile(csv!);
  assertMatch(table, /^submission,points,of,lesson,lesson of,first failure,offences,seconds\r\n/);
  // A spreadsheet must not take a name for a formula.
  assertMatch(table, /\r\n'=ben 10,0,5,0,5,took longer than 9 s,took longer than 9 s,\d\.\d\r\n/);
  assertMatch(table, /\r\nben 2,4,5,4,5,"operations: the number is wrong, /);
  const suites = readXml(await Deno.readTextFile(junit!)).filter(({ name }) =>
    name === "testsuite"
  );
  assertEquals(suites.map(({ attributes: { name, tests, failures } }) => [name, tests, failures]), [
    ["netdemo grade =ben 10", "5", "0"],
    ["netdemo grade ben 2", "5", "1"],
    ["netdemo grade Ötzi <b>&amp;", "5", "0"],
  ]);
  const page = await Deno.readTextFile(html!);
  assertMatch(page, /<summary class="cells"><span class="name">Ötzi &lt;b&gt;&amp;amp;<\/span>/);
  assertNotMatch(page, /<script|https?:|<link|@import|url\(/);

  // What was graded is kept: the table costs no second run.
  const again = await netdemoInProcess(room.grade([...flags, "--resume"]));
  assertMatch(
    again.stdout,
    /^name +points +time +first failure\n=ben 10 .*\nben 2 +4\/5 .* operations: the number .*\nÖtzi .*5\/5/,
  );
  assertMatch(again.stdout, /\nBroke the machine's rules:\n {2}=ben 10: took longer than 9 s\n/);
  assertMatch(again.stdout, /\n1 of 3 submissions passed all checks \(seed 7, 0\.\d s\)\n$/);
  assertMatch(again.stderr, /2 of 3 submissions did not pass all checks\nhint: /);
  const tap = await netdemoInProcess(room.grade([...flags, "--resume", "--tap"]));
  assertEquals([readTap(tap.stdout).planned, readTap(tap.stdout).errors], [15, []]);
  const other = await netdemoInProcess(
    room.grade(["--seed", "8", "--level", "robust", "--resume"]),
  );
  assertMatch(other.stderr, /had .*another --level, .*another --seed.*\nhint: leave out --resume/);
});

Deno.test("wrong usage for a class grades nothing, and shows what to type", async () => {
  await using room = new Classroom();
  await writeClass(room.submissions, [{ name: "anna", program: "", failed: [] }]);
  const [empty, files, path] = ["empty", "files", "a-file"].map((name) => room.report(name));
  await Deno.mkdir(empty!);
  await Deno.mkdir(files!);
  await Deno.writeTextFile(`${files}/anna.py`, "");
  await Deno.writeTextFile(path!, "");
  const of = (folder: string, ...more: string[]) => ["calc-server", "--class", folder, ...more];
  const command = ["--", "python3", "server.py"];
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["calc-server", "--class"], /--class needs a value: --class FOLDER/],
    [["calc-server", "--csv", "x", ...command], /--csv is for a class: --class FOLDER/],
    [of(room.submissions), /needs the command .*\nhint: .* --class FOLDER -- python3 "\{dir\}/],
    [of(empty!, ...command), /there is no submission in .*\nhint: each folder or file/],
    [of(`${empty}/no`, ...command), /cannot read .*\nhint: give the folder/],
    [of(path!, ...command), /is not a folder\nhint: give the folder/],
    [of(files!, ...command), /each submission .* is a file.*\nhint: .*"\{file\}"/],
    [of(room.submissions, ":4040"), /a class has no TARGET.*\nhint: a command goes after --/],
    [of(room.submissions, "--gradescope", "x", ...command), /--gradescope .*\nhint: --csv/],
    [of(room.submissions, "--jobs", "0", ...command), /--jobs must be a whole number from 1/],
    [of(room.submissions, "--jobs", "2", ...command), /port of its own\nhint: .*"PORT=\{port\}"/],
    [of(room.submissions, "--jobs", "2", "--port", "4040", ...command), /instead of --port/],
    ...["csv", "html", "junit"].map((flag) =>
      [
        of(room.submissions, `--${flag}`, `${empty}/no/x`, ...command),
        new RegExp(`cannot write the report .*\\nhint: give --${flag} a path`),
      ] as const
    ),
    [of(room.submissions, "--json", "--tap", ...command), /--json and --tap can't both/],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await netdemoInProcess(["grade", ...args]);
    assertEquals(code, 2, args.join(" "));
    assertMatch(stderr, message);
  }
  const missing = await netdemoInProcess([
    "grade",
    ...of(room.submissions, "--", "no-such-python"),
  ]);
  assertEquals(missing.code, 127);
  assertMatch(missing.stderr, /cannot start no-such-python: .*\nhint: check the spelling/);
});

pythonTest("a submission is a file too, and what is hidden is passed over", async () => {
  await using room = new Classroom();
  const [anna, ben] = [three[0]!.program, three[1]!.program];
  await Deno.writeTextFile(`${room.submissions}/anna {port}.py`, anna);
  await writeClass(room.submissions, [{ name: "ben", program: ben, failed: [] }], "any name.py");
  await writeClass(room.submissions, [{ name: "two", program: ben, failed: [] }]);
  await Deno.writeTextFile(`${room.submissions}/two/README.md`, "");
  await Deno.symlink("ben", `${room.submissions}/carl`);
  for (const litter of [".git", "__MACOSX"]) await Deno.mkdir(`${room.submissions}/${litter}`);
  await Deno.writeTextFile(`${room.submissions}/.DS_Store`, "");
  const csv = `${room.submissions}/points.csv`;
  const flags = ["--only", "operations", "--csv", csv];
  for (const times of [1, 2]) {
    const { stdout, stderr } = await netdemoInProcess(
      room.grade([...flags, ...times === 2 ? ["--resume"] : []], ["python3", "{file}", "{port}"]),
    );
    assertMatch(stdout, /\nanna \{port\}\.py +1\/1 /);
    assertMatch(stdout, /\nben +0\/1 .* operations: /);
    assertMatch(stdout, /\ncarl +- .*not graded: it is a symbolic link/);
    assertMatch(stdout, /\ntwo +- .*not graded: there are 2 files in it/);
    assertMatch(stdout, /\n\d of 4 submissions passed /);
    assertMatch(stderr, /^passed over: \.DS_Store, \.git, __MACOSX \(hidden\)\n/);
  }
});

pythonTest(
  "a submission without the file that the command names is told apart from a wrong one",
  async () => {
    await using room = new Classroom();
    const program = three[0]!.program;
    await writeClass(room.submissions, [{ name: "anna", program, failed: [] }], "Server.py");
    await writeClass(room.submissions, [{ name: "ben", program, failed: [] }], "notes.txt");
    await writeClass(room.submissions, [{ name: "carl", program: "exit(1)", failed: [] }]);
    const commands = [
      ["python3", "{dir}/server.py", "{port}"],
      ["python3", "-u", "server.py", "{port}"],
      ["./server.py", "{port}"],
    ];
    for (const command of commands) {
      const { stdout } = await netdemoInProcess(room.grade(["--only", "listens"], command));
      assertMatch(
        stdout,
        /\nanna +0\/1 .*not graded: there is no server\.py in it, but Server\.py\n/,
      );
      assertMatch(stdout, /\nben +0\/1 .*not graded: there is no server\.py in it\n/);
      assertMatch(stdout, /\ncarl +0\/1 .*(?:listens: ended|it is not executable)/);
    }
  },
);

/** Starts the grading of a class, and waits until this program is running. */
async function startGrading(args: readonly string[], mark: string): Promise<Process> {
  const process = new Process([...netdemoCommand, ...args]);
  await until(() => running(mark) > 0, "the program runs");
  return process;
}

/** How many processes have this text in their command line. */
function running(mark: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    try {
      const [program, ...args] = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      if (/python/.test(program ?? "") && args.some((arg) => arg.includes(mark))) count++;
    } catch {
      // It has ended, or is no process.
    }
  }
  return count;
}

testWith(
  [linux, python3],
  "an interrupted run keeps what it has, and --resume grades the others",
  async () => {
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      await using room = new Classroom();
      await writeClass(room.submissions, [
        { ...three[0]!, name: "1" },
        { ...named("never answers")[0]!, name: "2" },
        { ...three[0]!, name: "3" },
      ]);
      const csv = room.report("class.csv");
      const command = ["python3", "{dir}/server.py", "{port}"];
      const flags = ["--only", "answers", "--csv", csv, "--timeout", "500ms"];
      const mark = `${room.submissions}/2/server.py`;
      await using process = await startGrading(room.grade(flags, command), mark);
      const { code, stdout, stderr } = await process.stop(signal);
      assertMatch(await Deno.readTextFile(csv), /\r\n1,1,1,.*\r\n$/, signal);
      if (signal !== "SIGKILL") {
        assertEquals(code, 130);
        assertMatch(stdout, /\n1 +1\/1 .*\n\n1 of 1 submission passed /);
        assertMatch(stderr, /interrupted; 2 of 3 are left: go on with --resume\n/);
        assertEquals(running(mark), 0);
      }
      const args = room.grade([...flags, "--resume", "--json"], command);
      const lines = linesOf((await netdemoInProcess(args)).stdout);
      const names = lines.filter(({ event }) => event === "check").map((line) => line.submission);
      // The one that was interrupted may be why: it comes last.
      assertEquals(names, ["1", "3", "2"], signal);
      assertEquals(running(mark), 0);
      assertMatch(await Deno.readTextFile(csv), /\r\n1,1,.*\r\n2,0,.*\r\n3,1,.*\r\n$/);
    }
  },
);

testWith(
  [linux, python3],
  "a submission that kills netdemo whenever it runs is left out, and the others are graded",
  async () => {
    await using room = new Classroom();
    await writeClass(room.submissions, [...named("kills its parent"), { ...three[0]!, name: "z" }]);
    const grade = (...flags: string[]) =>
      new Process([...netdemoCommand, ...room.grade(["--only", "answers", ...flags])]);
    for (const flags of [[], ["--resume"]]) {
      await using process = grade(...flags);
      assertEquals((await process.ended()).code, 137);
    }
    await using process = grade("--resume", "--json");
    const [killer, right] = ["kills its parent", "z"];
    const lines = linesOf((await process.ended()).stdout);
    assertMatch(
      String(lines.find(({ submission }) => submission === killer)?.reason),
      /netdemo was ended 2 times while it was graded/,
    );
    assertEquals(lines.find(({ submission }) => submission === right)?.status, "pass");
  },
);

testWith(
  [linux, python3, root, tool("setpriv")],
  "with --run-as, a submission reaches neither netdemo nor what is kept of the others",
  async () => {
    await using room = new Classroom();
    await Deno.chmod(room.submissions, 0o755);
    await writeClass(room.submissions, [
      ...["forges marks", "kills its parent", "leaves a process"].flatMap(named),
      { ...three[0]!, name: "a" },
    ]);
    const { stdout } = await netdemoInProcess(room.grade(
      ["--run-as", "nobody", "--csv", room.report("class.csv"), "--json"],
      ["/usr/bin/python3", "server.py", "{port}"],
    ));
    const summaries = linesOf(stdout).filter(({ event }) => event === "summary");
    const failed = ({ submission }: Line) => submission === "kills its parent";
    assertEquals(summaries.filter(({ ok }) => ok === true).map((line) => line.submission), [
      ...["a", "forges marks", "leaves a process"],
    ]);
    assertEquals(summaries.find(failed)?.passed, 0);
    const left = summaries.find(({ submission }) => submission === "leaves a process");
    if (left?.containment === "control group") {
      assertEquals(left.offences, ["left processes running"]);
    }
    assertMatch(await Deno.readTextFile(room.report("class.csv")), /^submission,(?:.*\r\n){5}$/);
  },
);

testWith(
  [linux, python3],
  "what a submission does to the machine is named, and harms no other",
  async () => {
    await using room = new Classroom();
    const hostile = ["deletes its folder", "floods", "forks", "leaves a process"];
    await writeClass(room.submissions, [...hostile.flatMap(named), { ...three[0]!, name: "z" }]);
    const { stdout } = await netdemoInProcess(
      room.grade(["--only", "next-client", "--max-time", "5s", "--json"]),
    );
    const summaries = linesOf(stdout).filter(({ event }) => event === "summary");
    assertEquals(summaries.at(-1)?.submissions, hostile.length + 1);
    const offencesOf = (name: string): unknown =>
      summaries.find(({ submission }) => submission === name)?.offences;
    assertEquals(offencesOf("z"), []);
    assertEquals(offencesOf("deletes its folder"), ["deleted the folder that it runs in"]);
    if (summaries[0]?.containment !== "control group") return;
    assertEquals(offencesOf("leaves a process"), ["left processes running"]);
    assertMatch(String(offencesOf("forks")), /left processes running|ran more than 500 processes/);
    assertEquals(summaries.find(({ submission }) => submission === "z")?.passed, 1);
  },
);

Deno.test("the table of a class fits the terminal, whatever the names", () => {
  const result = { id: "answers", status: "fail", sentence: "answers", detail: "x".repeat(200) };
  const results = levels.map((level) => ({ ...result, level, status: "fail" as const }));
  const rows = rowsOf(["日本語".repeat(20), "a\u202eb\n", "c".repeat(100)].map((name) => (
    { name, results, offences: [], elapsedMs: 1_234_567 }
  )));
  for (const columns of [80, 100, 200]) {
    const lines = tableLines(rows, { columns, color: false, unicode: true });
    assertEquals(lines.length, 4);
    for (const line of lines) assert(widthOf(line) <= columns, line);
  }
  assertEquals(csvOf(rows).match(/\n/g)?.length, 4);
});

Deno.test("--resume refuses a file that no interrupted run has kept", async () => {
  await using room = new Classroom();
  await writeClass(room.submissions, three);
  for (
    const text of [
      "",
      "{}",
      '{"asked":"","seed":1,"mark":"*","graded":[],"running":[],"killed":{}}',
    ]
  ) {
    await Deno.writeTextFile(`${room.submissions}/.netdemo-class.json`, text);
    const { code, stderr } = await netdemoInProcess(room.grade(["--resume"]));
    assertEquals(code, 2);
    assertMatch(stderr, /is not what an interrupted run has kept\nhint: leave out --resume/);
  }
});
