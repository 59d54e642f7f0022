import { assert, assertEquals, assertMatch } from "@std/assert";
import { lacksShown } from "../../commands/grade/checks/clients/lesson.ts";
import { isText } from "../../commands/grade/conversations.ts";
import { fileSubject, type Role } from "../../commands/grade/subjects.ts";
import { parseTalk } from "../../talk/parse.ts";
import { testWith, unix } from "../harness/needs.ts";
import {
  busyLoops,
  gradeSubject,
  inParallel,
  missingTool,
  shareOf,
  Workshop,
} from "./examine_programs.ts";
import { mistakenClients, rightClients } from "./talk_clients.ts";
import {
  binary,
  type MistakenTalk,
  mistakenTalks,
  rightTalks,
  type TalkProgram,
} from "./talk_programs.ts";

const AT_A_TIME = 4;

const isRunnable = ({ language }: TalkProgram): boolean =>
  missingTool({ file: `Program.${language}` }) === undefined;

/** Grades a program that speaks a conversation file. */
async function graded(
  workshop: Workshop,
  role: Role,
  { language, source, talk }: TalkProgram,
  skip: readonly string[] = [],
) {
  const command = await workshop.commandFor(language, source);
  const subject = fileSubject(role, parseTalk(talk));
  return await gradeSubject(subject, command, { level: "stream", skip: new Set(skip) });
}

/** The programs that fail a check, with their reports. */
async function alarms(role: Role, programs: readonly TalkProgram[]): Promise<string[]> {
  await using workshop = new Workshop();
  const surprises: string[] = [];
  await inParallel(programs.filter(isRunnable), AT_A_TIME, async (program) => {
    const { failed, text } = await graded(workshop, role, program);
    if (failed.length > 0) surprises.push(`${program.kind}: ${failed}\n${text}`);
  });
  return surprises;
}

/**
 * The mistakes that another check finds first, or none, with their reports. Such a program is graded
 * once more, alone: on a busy machine one that is wrong about time may pass.
 */
async function misses(role: Role, mistakes: readonly MistakenTalk[]): Promise<string[]> {
  await using workshop = new Workshop();
  const missed = new Map<MistakenTalk, string>();
  const one = async (mistaken: MistakenTalk): Promise<void> => {
    const { program, mistake, changes, skip, check, says = /./ } = mistaken;
    missed.delete(mistaken);
    const source = changes.reduce((text, [from, to]) => {
      assert(text.includes(from), `${program.kind} has no ${from}`);
      return text.replace(from, () => to);
    }, program.source);
    const { failed, text } = await graded(workshop, role, { ...program, source }, skip);
    try {
      assertEquals(failed[0], check);
      assertMatch(text, says);
    } catch (error) {
      missed.set(mistaken, `${program.kind}, ${mistake}: ${error}\n${text}`);
    }
  };
  const runnable = shareOf(mistakes).filter(({ program }) => isRunnable(program));
  await inParallel(runnable, AT_A_TIME, one);
  for (const mistaken of [...missed.keys()]) await one(mistaken);
  return [...missed.values()];
}

testWith([unix], "a right server of each kind passes what its file gives ground for", async () => {
  assertEquals(await alarms("server", shareOf(rightTalks)), []);
});

testWith([unix], "a right client of each kind passes what its file gives ground for", async () => {
  assertEquals(await alarms("client", shareOf(rightClients)), []);
});

testWith([unix], "each mistake in a server of each kind is found by its own check", async () => {
  assertEquals(await misses("server", mistakenTalks), []);
});

testWith([unix], "each mistake in a client of each kind is found by its own check", async () => {
  assertEquals(await misses("client", mistakenClients), []);
});

Deno.test("requests are text whose lines end with CR LF, and not numbers in binary", () => {
  const table: readonly (readonly [request: string, isText: boolean])[] = [
    ["EHLO {me}\\r\\n", true],
    ["{a}\\t{b}\\n", true],
    ["{a} {b}", true],
    ["\\x01{word}", false],
    ["{n as u16}", false],
  ];
  for (const [request, expected] of table) {
    assertEquals(isText(parseTalk(`> ${request}\n< ok\n`)), expected, request);
  }
});

Deno.test("what a client prints is not judged by replies that hold no value", () => {
  const table: readonly (readonly [file: string, isJudged: boolean])[] = [
    ["> 0\\n\n< higher\\n\n", false],
    ["> {w}\\n\n< \\0{n as u8}\n", false],
    ["> {w}\\n\n< {upper(w)}\\n\n", true],
  ];
  for (const [file, isJudged] of table) {
    assertEquals(lacksShown(fileSubject("client", parseTalk(file))) === undefined, isJudged, file);
  }
});

testWith([unix], "a right program is not blamed beside busy loops", async () => {
  await using _loops = busyLoops();
  assertEquals(await alarms("server", [binary]), []);
});
