import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "yaml";
import { netdemoInProcess } from "../harness/in_process.ts";
import { pythonTest, testWith, unix } from "../harness/needs.ts";
import { netdemoCommand, run } from "../harness/process.ts";
import { entries } from "../../commands/grade/catalogue.ts";
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

pythonTest("the workflow in examples/grade does what it says", async () => {
  const workflow = parse(await Deno.readTextFile(`${examples}/classroom.yaml`));
  const steps: { run?: string }[] = workflow.jobs.grade.steps;
  const lines = steps.flatMap(({ run = "" }) => run.startsWith("netdemo ") ? [run] : []);
  assertEquals(lines.length, 2);
  const folder = await Deno.makeTempDir();
  try {
    for (const line of lines) {
      const [, ...words] = line.split(" ");
      const here = words.map((word) =>
        word.replace("server.py", `${programs}/calc_server.py`).replace(
          "grade.xml",
          `${folder}/g.xml`,
        )
      );
      const { code, stdout } = await netdemoInProcess(here);
      assertEquals(code, 0, stdout);
    }
    assertStringIncludes(await Deno.readTextFile(`${folder}/g.xml`), "<testcase");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
