import { assertEquals, assertMatch } from "@std/assert";
import { fileSubject } from "../../commands/grade/subjects.ts";
import { parseTalk } from "../../talk/parse.ts";
import { testWith, unix } from "../harness/needs.ts";
import { gradeSubject, inParallel, missingTool, shareOf, Workshop } from "./examine_programs.ts";
import { mistakenTalks, rightTalks, type TalkProgram } from "./talk_programs.ts";

const AT_A_TIME = 4;

const isRunnable = ({ language }: TalkProgram): boolean =>
  missingTool({ file: `Program.${language}` }) === undefined;

testWith([unix], "a right server of each kind passes what its file gives ground for", async () => {
  await using workshop = new Workshop();
  const surprises: string[] = [];
  await inParallel(rightTalks.filter(isRunnable), AT_A_TIME, async (program) => {
    const command = await workshop.commandFor(program.language, program.source);
    const subject = fileSubject("server", parseTalk(program.talk));
    const { failed, text } = await gradeSubject(subject, command, { level: "stream" });
    if (failed.length > 0) surprises.push(`${program.kind}: ${failed}\n${text}`);
  });
  assertEquals(surprises, []);
});

testWith([unix], "each mistake in a server of each kind is found by its own check", async () => {
  await using workshop = new Workshop();
  const surprises: string[] = [];
  const runnable = shareOf(mistakenTalks).filter(({ program }) => isRunnable(program));
  await inParallel(
    runnable,
    AT_A_TIME,
    async ({ program, mistake, check, changes, says, skip }) => {
      let { source } = program;
      for (const [from, to] of changes) {
        if (!source.includes(from)) surprises.push(`${program.kind} has no ${from}`);
        source = source.replace(from, () => to);
      }
      const command = await workshop.commandFor(program.language, source);
      const subject = fileSubject("server", parseTalk(program.talk));
      const options = { level: "stream", skip: new Set(skip) } as const;
      const { failed, text } = await gradeSubject(subject, command, options);
      try {
        assertEquals(failed[0], check);
        if (says !== undefined) assertMatch(text, says);
      } catch (error) {
        surprises.push(`${program.kind}, ${mistake}: ${error}\n${text}`);
      }
    },
  );
  assertEquals(surprises, []);
});
