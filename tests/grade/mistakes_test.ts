import { assertEquals, assertMatch } from "@std/assert";
import { testWith, unix } from "../harness/needs.ts";
import {
  changed,
  gradeProgram,
  inParallel,
  missingTool,
  shareOf,
  Workshop,
} from "./examine_programs.ts";
import { type Correct, correct, lesson, mistaken } from "./programs.ts";

/** Programs at a time: servers keep the processor busy, clients mostly wait. */
const SERVERS_AT_A_TIME = 5;
const CLIENTS_AT_A_TIME = 6;

/**
 * Grades all of the programs; returns a line for each with an unexpected result.
 *
 * @param isTriedAgain Whether such a program is graded once more, alone: with eleven at a time, a
 * program may take so long to crash that another check fails first.
 */
async function surprises<P extends Correct>(
  programs: readonly P[],
  judge: (program: P, command: readonly string[]) => Promise<void>,
  isTriedAgain = false,
): Promise<string[]> {
  await using workshop = new Workshop();
  const surprising = new Map<P, string>();
  const one = async (program: P): Promise<void> => {
    surprising.delete(program);
    try {
      await judge(program, await workshop.command(program));
    } catch (error) {
      const why = error instanceof Error ? error.message : error;
      surprising.set(program, `${program.file}: ${why}`);
    }
  };
  const isClient = ({ subject }: P): boolean => subject.endsWith("client");
  await Promise.all([
    inParallel(programs.filter((program) => !isClient(program)), SERVERS_AT_A_TIME, one),
    inParallel(programs.filter(isClient), CLIENTS_AT_A_TIME, one),
  ]);
  if (isTriedAgain) { for (const program of [...surprising.keys()]) await one(program); }
  return [...surprising.values()];
}

/** The programs that can be run here, and the tools that the others lack. */
function runnable<P extends Correct>(programs: readonly P[]): { here: P[]; missing: string } {
  const missing = new Set(programs.map(missingTool).filter((tool) => tool !== undefined));
  const here = programs.filter((program) => missingTool(program) === undefined);
  return { here, missing: missing.size === 0 ? "" : ` (skipped: no ${[...missing].join(", ")})` };
}

const good = runnable(shareOf(correct));
const wrong = runnable(shareOf(mistaken));
const originals = runnable(lesson);

Deno.test("each program's changes fit it, also of those that are not in the share", async () => {
  for (const { file, changes = [] } of [...correct, ...mistaken]) await changed(file, changes);
});

testWith([unix], `correct programs pass the level that they claim${good.missing}`, async () => {
  assertEquals(
    await surprises(good.here, async (program, command) => {
      const { failed, skipped, text } = await gradeProgram(program, command);
      assertEquals({ failed, skipped }, { failed: [], skipped: [] }, text);
    }),
    [],
  );
});

testWith([unix], `the lesson's own programs pass lesson${originals.missing}`, async () => {
  assertEquals(
    await surprises(originals.here, async (program, command) => {
      const { failed, text } = await gradeProgram(program, command);
      assertEquals(failed, [], text);
    }),
    [],
  );
});

testWith(
  [unix],
  `each mistake fails its own check and no other${wrong.missing}`,
  async () => {
    assertEquals(
      await surprises(wrong.here, async (program, command) => {
        const { failed, text } = await gradeProgram(program, command);
        assertEquals(failed, [program.check], `${program.mistake}\n${text}`);
        if (program.says !== undefined) assertMatch(text, program.says);
      }, true),
      [],
    );
  },
);
