// deno-lint-ignore-file no-console -- a script that reports on stdout
/**
 * Grades correct programs alongside busy loops: `task grade-soak [ROUNDS [MINUTES]]`, 2 rounds by
 * default.
 *
 * None of them may fail a check, however little CPU time is left. If one does,
 * prints the report and ends with exit code 1.
 */
import { readNumber } from "../../cli/arguments/flags.ts";
import { fileSubject } from "../../commands/grade/subjects.ts";
import { parseTalk } from "../../talk/parse.ts";
import { readTaskLine } from "../harness/task_line.ts";
import {
  busyLoops,
  type Graded,
  gradeProgram,
  gradeSubject,
  inParallel,
  missingTool,
  ownProgram,
  Workshop,
} from "./examine_programs.ts";
import { type Correct, correct, lesson } from "./programs.ts";
import { rightClients } from "./talk_clients.ts";
import { rightTalks } from "./talk_programs.ts";

const { words: [rounds = 2, minutes = Infinity] } = readTaskLine({
  usage: "grade-soak [ROUNDS [MINUTES]]",
  words: [readNumber(1, 1_000_000), readNumber(1, 100_000)],
});
const endsAt = performance.now() + minutes * 60_000;
const AT_A_TIME = 3;

const own: Correct[] = ["hello", "message", "calc"].flatMap((service) =>
  ["server", "client"].flatMap((role) =>
    [false, true].map((udp): Correct => ({
      file: "",
      subject: `${service}-${role}`,
      level: "stream",
      udp,
    }))
  )
);

/** A program that is ready to be graded. */
interface Ready {
  readonly name: string;
  grade(): Promise<Graded>;
}

/** The lesson's programs, in several languages, and netdemo's own. */
async function lessonPrograms(workshop: Workshop): Promise<Ready[]> {
  const written = [...correct, ...lesson].filter((one) => missingTool(one) === undefined);
  const ready = await Promise.all(
    written.map(async (program) => ({ program, command: await workshop.command(program) })),
  );
  const served = own.map((program) => {
    const flags = program.udp ? ["--udp"] : [];
    return { program, command: ownProgram(program.subject, ...flags, "--port", "{port}") };
  });
  return [...ready, ...served].map(({ program, command }) => ({
    name: `${program.subject} ${program.file}`,
    grade: () => gradeProgram(program, command),
  }));
}

/** Those that speak a conversation file. */
async function talkPrograms(workshop: Workshop): Promise<Ready[]> {
  const all = [
    ...rightTalks.map((program) => ({ program, role: "server" as const })),
    ...rightClients.map((program) => ({ program, role: "client" as const })),
  ];
  const here = all.filter(({ program }) =>
    missingTool({ file: `.${program.language}` }) === undefined
  );
  return await Promise.all(here.map(async ({ program, role }) => {
    const command = await workshop.commandFor(program.language, program.source);
    const subject = fileSubject(role, parseTalk(program.talk));
    return {
      name: `${role}: ${program.kind}`,
      grade: () => gradeSubject(subject, command, { level: "stream" }),
    };
  }));
}

const alarms: string[] = [];
let examined = 0;
let slowest = 0;
{
  await using workshop = new Workshop();
  const all = [...await talkPrograms(workshop), ...await lessonPrograms(workshop)];
  await using _loops = busyLoops();
  for (let round = 1; round <= rounds; round++) {
    await inParallel(all, AT_A_TIME, async ({ name, grade }) => {
      if (performance.now() > endsAt) return;
      const { failed, text, elapsedMs } = await grade();
      examined++;
      slowest = Math.max(slowest, elapsedMs);
      if (failed.length === 0) return;
      alarms.push(`${name}: ${failed.join(", ")}`);
      console.log(`round ${round}: ${alarms.at(-1)}\n${text.replaceAll(/^pass .*\n/gm, "")}`);
    });
  }
}
console.log(
  `${examined} examinations of correct programs alongside ${navigator.hardwareConcurrency} busy loops: ` +
    `${alarms.length} false alarms (slowest ${(slowest / 1_000).toFixed(1)} s)`,
);
if (alarms.length > 0) Deno.exit(1);
