import { assertEquals, assertGreater } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { notUnderWine, run, testWith } from "./harness/mod.ts";

/** The tasks that are scripts of this project, each with its file. */
const scripts = Object.entries(config.tasks).flatMap(([name, { command }]) => {
  const [, file] = /^deno run --quiet -A (\S+\.ts)$/.exec(command) ?? [];
  return file === undefined ? [] : [{ name, file }];
});

/** Runs a task with a flag; returns its exit code, and the usage if it printed that. */
async function answer(file: string, flag: string): Promise<readonly [code: number, usage: string]> {
  const { code, stdout, stderr } = await run(
    [Deno.execPath(), "run", "--quiet", "--no-check", "-A", file, flag],
  );
  return [code, /^usage: deno task \S+/m.exec(stdout + stderr)?.[0] ?? ""];
}

testWith(
  [notUnderWine("its tasks start too slowly")],
  "every task refuses a flag that it does not know with its usage, which --help prints, too",
  async () => {
    assertGreater(scripts.length, 15);
    // Those of tests/ read their command lines with one function, those of build/ by themselves.
    const [first] = scripts.filter(({ file }) => file.startsWith("tests/"));
    const builders = scripts.filter(({ file }) => file.startsWith("build/"));
    for (const { name, file } of [first, ...builders].flatMap((script) => script ?? [])) {
      assertEquals(await answer(file, "--help"), [0, `usage: deno task ${name}`], name);
    }
    for (const { name, file } of scripts) {
      assertEquals(await answer(file, "--hlep"), [2, `usage: deno task ${name}`], name);
    }
  },
);
