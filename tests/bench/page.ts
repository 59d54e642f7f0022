// deno-lint-ignore-file no-console -- it prints what it measured
/**
 * What a page costs its server: `task bench-page [--rounds N] [--seconds S]`.
 *
 * The load generator of `task bench` measures three calc-servers in turn: without a page, with a
 * page without viewers, and with a page whose viewer reads everything. Prints ratios to the
 * first, round by round: of answers per second, and of answers per second of the server's CPU
 * time, which other programs disturb less. Needs Linux and a C compiler.
 */
import { netdemoCommand, Process } from "../harness/process.ts";
import { readTaskLine } from "../harness/task_line.ts";
import { buildLoad, roundFlags, runLoad } from "./load.ts";

const scenarios: Readonly<Record<string, readonly string[]>> = {
  "1 connection": ["tcp", "-c", "1"],
  "64 connections": ["tcp", "-c", "64"],
  "64, pipelines of 16": ["tcp", "-c", "64", "-d", "16"],
  "connect, ask, close": ["connect", "-c", "16"],
};
const TICKS_A_SECOND = 100; // sysconf(_SC_CLK_TCK) on Linux

/** A server to measure. */
interface Subject {
  readonly name: string;
  readonly process: Process;
  readonly port: number;
}

async function start(name: string, ...flags: string[]): Promise<Subject> {
  const process = new Process([...netdemoCommand, "calc-server", "--port", "0", ...flags]);
  const [, port] = await process.printed(/Listening on 127\.0\.0\.1:(\d+)/);
  return { name, process, port: Number(port) };
}

/** Seconds of CPU time that a process has used. */
async function cpuSeconds({ process }: Subject): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${process.pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // proc(5)
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Reads everything a page sends, and discards it. */
async function readPage({ process }: Subject): Promise<void> {
  const [, url = ""] = await process.printed(/Page at (\S+)/);
  const { body } = await fetch(`${url}events`);
  for await (const _ of body ?? []);
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const [least = NaN, most = NaN] = [sorted[0], sorted.at(-1)];
  const median = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return `${median.toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`;
}

const { flags: { rounds, seconds } } = readTaskLine({
  usage: "bench-page [--rounds N] [--seconds S]",
  flags: roundFlags(5, 1),
});
const folder = await Deno.makeTempDir();
const load = await buildLoad(folder);
const subjects = [
  await start("no page"),
  await start("page", "--page"),
  await start("page with a viewer", "--page"),
];
const [none, , viewed] = subjects;
if (none === undefined || viewed === undefined) throw new Error("Cannot start the servers");
const reading = readPage(viewed).catch(() => {}); // until the server ends

console.log("| asked by | page | asked of CPU time | viewer | asked of CPU time |");
console.log("| --- | --- | --- | --- | --- |");
for (const [about, args] of Object.entries(scenarios)) {
  const answers = new Map(subjects.map((subject) => [subject, [] as number[]]));
  const ofCpu = new Map(subjects.map((subject) => [subject, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const before = await cpuSeconds(subject);
      const measured = await runLoad(
        load,
        { ...subject, pid: subject.process.pid, [Symbol.asyncDispose]: () => Promise.resolve() },
        [...args, "-s", String(seconds)],
      );
      if (round === 0) continue; // warm-up
      answers.get(subject)?.push(measured.perSecond);
      ofCpu.get(subject)?.push(measured.answers / (await cpuSeconds(subject) - before));
    }
  }
  const ratios = (of: ReadonlyMap<Subject, readonly number[]>, subject: Subject): string =>
    spread((of.get(subject) ?? []).map((value, round) => value / (of.get(none)?.[round] ?? NaN)));
  const cells = subjects.slice(1).flatMap((subject) => [
    ratios(answers, subject),
    ratios(ofCpu, subject),
  ]);
  console.log(`| ${[about, ...cells].join(" | ")} |`);
}
for (const { process } of subjects) await process.stop();
await reading;
await Deno.remove(folder, { recursive: true });
