// deno-lint-ignore-file no-console -- a script that reports on stdout
/**
 * Grades correct programs alongside busy loops: `task grade-soak [ROUNDS]`, 2 by default.
 *
 * None of them may fail a check, however little CPU time is left. If one does,
 * prints the report and ends with exit code 1.
 */
import { gradeProgram, inParallel, missingTool, ownProgram, Workshop } from "./examine_programs.ts";
import { type Correct, correct, lesson } from "./programs.ts";

const rounds = Number(Deno.args[0] ?? 2);
const AT_A_TIME = 3;

/** Starts programs that each keep a processor busy until their scope ends. */
function busyLoops(): AsyncDisposable {
  const loops = Array.from(
    { length: navigator.hardwareConcurrency },
    () => new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn(),
  );
  return {
    async [Symbol.asyncDispose]() {
      for (const loop of loops) loop.kill("SIGKILL");
      await Promise.all(loops.map(({ status }) => status));
    },
  };
}

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

const programs = [...correct, ...lesson].filter((program) => missingTool(program) === undefined);
const alarms: string[] = [];
let examined = 0;
let slowest = 0;
{
  await using workshop = new Workshop();
  const ready = await Promise.all(
    programs.map(async (program) => ({ program, command: await workshop.command(program) })),
  );
  const all = [
    ...ready,
    ...own.map((program) => {
      const flags = program.udp ? ["--udp"] : [];
      return { program, command: ownProgram(program.subject, ...flags, "--port", "{port}") };
    }),
  ];
  await using _loops = busyLoops();
  for (let round = 1; round <= rounds; round++) {
    await inParallel(all, AT_A_TIME, async ({ program, command }) => {
      const { failed, text, elapsedMs } = await gradeProgram(program, command);
      examined++;
      slowest = Math.max(slowest, elapsedMs);
      if (failed.length === 0) return;
      alarms.push(`${program.subject} ${program.file}: ${failed.join(", ")}`);
      console.log(`round ${round}: ${alarms.at(-1)}\n${text.replaceAll(/^pass .*\n/gm, "")}`);
    });
  }
}
console.log(
  `${examined} examinations of correct programs alongside ${navigator.hardwareConcurrency} busy loops: ` +
    `${alarms.length} false alarms (slowest ${(slowest / 1_000).toFixed(1)} s)`,
);
if (alarms.length > 0) Deno.exit(1);
