// deno-lint-ignore-file no-console -- a script that reports on stdout
/**
 * Grades a class of thirty, some of them hostile: `task grade-class [JOBS] [BUSY]`.
 *
 * @param JOBS How many at once. @default 1
 * @param BUSY How many busy loops run alongside. @default 0
 */
import { readNumber } from "../../cli/arguments/flags.ts";
import { netdemoCommand, run } from "../harness/process.ts";
import { root } from "../harness/needs.ts";
import { readTaskLine } from "../harness/task_line.ts";
import { thirty, writeClass } from "./class_submissions.ts";

const { words: [jobs = 1, busy = 0] } = readTaskLine({
  usage: "grade-class [JOBS] [BUSY LOOPS]",
  words: [readNumber(1, 64), readNumber(0, 64)],
});
const isRoot = root.isMet();
const submissions = thirty.filter(({ needsOtherUser }) => isRoot || needsOtherUser !== true);
const folder = await Deno.makeTempDir();
await Deno.chmod(folder, 0o755);
const path = `${folder}/class`;
await writeClass(path, submissions);
for (const litter of [".git", "__MACOSX"]) await Deno.mkdir(`${path}/${litter}`);

const loops = Array.from(
  { length: busy },
  () => new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn(),
);
const startedAt = performance.now();
const graded = await run([
  ...[...netdemoCommand, "grade", "calc-server", "--class", path, "--jobs", `${jobs}`, "--json"],
  ...["--csv", `${folder}/class.csv`, "--html", `${folder}/class.html`, "--max-time", "20s"],
  ...isRoot ? ["--run-as", "nobody"] : [],
  ...["--", "/usr/bin/python3", "{dir}/server.py", "{port}"],
]);
for (const loop of loops) loop.kill("SIGKILL");
const table = await run([
  ...[...netdemoCommand, "grade", "calc-server", "--class", path, "--resume", "--max-time", "20s"],
  ...isRoot ? ["--run-as", "nobody"] : [],
  ...["--", "/usr/bin/python3", "{dir}/server.py", "{port}"],
]);
console.log(table.stdout);

const lines = graded.stdout.trim().split("\n").map((line) => JSON.parse(line));
const wrong: string[] = [];
for (const { name, failed, offence } of submissions) {
  const own = lines.filter(({ submission }) => submission === name);
  const summary = own.find(({ event }) => event === "summary");
  if (summary === undefined) {
    wrong.push(`${name}: not graded`);
    continue;
  }
  const ids = own.filter(({ status }) => status === "fail").map(({ id }) => id);
  const expected = failed === undefined || ids.join() === failed.join();
  if (!expected) wrong.push(`${name}: failed ${ids.join() || "nothing"}: ${summary.reason ?? ""}`);
  const { offences, containment } = summary;
  // Beside busy loops, a program may not get as far as to break a rule.
  const isRight = offence === undefined
    ? offences.length === 0
    : Number(busy) > 0 || containment !== "control group" ||
      offences.some((one: string) => offence.test(one));
  if (!isRight) wrong.push(`${name}: ${offences.join() || "no offence"}`);
}
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
console.log(`${submissions.length} submissions in ${seconds} s, exit code ${graded.code}`);
for (const each of wrong) console.log(`not as expected: ${each}`);
await Deno.remove(folder, { recursive: true });
if (wrong.length > 0) Deno.exit(1);
