import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "yaml";
import { python3, testWith, tool, unix } from "../harness/needs.ts";
import { netdemoCommand, run } from "../harness/process.ts";
import { released, withPath } from "../harness/workflow.ts";
import { entries } from "../../commands/grade/checks/catalogue.ts";
import { documentation, lessonSubjects } from "./documentation.ts";
import { mistaken } from "./programs.ts";

const examples = `${import.meta.dirname}/../../examples/grade`;
const programs = `${import.meta.dirname}/programs`;

Deno.test("docs/grade.md matches the table of checks (task grade-docs)", async () => {
  const { found, expected } = await documentation();
  assertEquals(found, expected);
});

Deno.test("every check has a program that fails it, over TCP or UDP", () => {
  const role = (subject: string): string => subject.includes("client") ? "client" : "server";
  const failed = new Set(mistaken.map(({ check, subject }) => `${role(subject)} ${check}`));
  const all = entries(lessonSubjects).map(({ check, subjects: [subject = ""] }) =>
    `${role(subject)} ${check.id}`
  );
  assertEquals([...new Set(all)].filter((check) => !failed.has(check)), []);
});

Deno.test("every check explains itself in sentences that fit", () => {
  for (const { check, sentences } of entries(lessonSubjects)) {
    for (const sentence of sentences) {
      assert(sentence !== "" && sentence.length <= 60, `${check.id}: ${sentence}`);
    }
    for (const text of [check.why, check.fix]) {
      assert(text !== "" && text.length <= 110 && !text.endsWith("."), `${check.id}: ${text}`);
    }
    assert(check.how.endsWith("."), `${check.id}: ${check.how}`);
  }
});

/** Runs the steps of the workflow on a correct program, until one fails. */
async function runWorkflow(changed: Readonly<Record<string, string>> = {}): Promise<{
  readonly codes: readonly number[];
  readonly printed: string;
  readonly report: string;
}> {
  const workflow = parse(await Deno.readTextFile(`${examples}/classroom.yaml`));
  const steps: { run?: string }[] = workflow.jobs.grade.steps;
  const folder = await Deno.makeTempDir();
  try {
    const env = { ...await released(folder), ...changed };
    await Deno.copyFile(`${programs}/calc_server.py`, `${folder}/server.py`);
    const codes: number[] = [];
    let printed = "";
    for (const { run: line } of steps) {
      if (line === undefined) continue;
      const step = ["bash", "-e", "-o", "pipefail", "-c", line];
      const { code, stdout, stderr } = await run(step, { cwd: folder, env: await withPath(env) });
      codes.push(code);
      printed += stdout + stderr;
      if (code !== 0) break;
    }
    const report = await Deno.readTextFile(`${folder}/grade.xml`).catch(() => "");
    return { codes, printed, report };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const classroom = [unix, python3, tool("curl"), tool("sha256sum")];

testWith(classroom, "the workflow in examples/grade does what it says", async () => {
  const { codes, printed, report } = await runWorkflow();
  assertEquals(codes, [0, 0, 0], printed);
  assertStringIncludes(report, "<testcase");
});

testWith(classroom, "the workflow runs no executable that was altered", async () => {
  const { codes, report } = await runWorkflow({ NETDEMO_SHA256: "0".repeat(64) });
  assertEquals([codes, report], [[1], ""]);
});

testWith([unix], "the autograder in examples/grade writes its results.json", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const place of ["source", "submission", "results"]) await Deno.mkdir(`${folder}/${place}`);
    const command = netdemoCommand.map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(`${folder}/source/netdemo`, `#!/bin/sh\nexec ${command} "$@"\n`);
    await Deno.chmod(`${folder}/source/netdemo`, 0o755);
    await Deno.copyFile(`${programs}/hello_server.py`, `${folder}/submission/server.py`);
    const script = (await Deno.readTextFile(`${examples}/run_autograder`))
      .replaceAll("/autograder", folder).replace("--level robust", "")
      .replace(/--run-as \S+/, "");
    const { code, stderr } = await run(["bash", "-c", script]);
    assertEquals(code, 0, stderr);
    const { tests } = JSON.parse(await Deno.readTextFile(`${folder}/results/results.json`));
    // A hello server is not a calculator: it only listens.
    assertEquals(tests.map(({ score }: { score: number }) => score), [1, 0, 0, 0, 0]);
    assertEquals((await run(["bash", "-n", `${examples}/setup.sh`])).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
