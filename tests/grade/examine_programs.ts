import { Ports } from "../../commands/grade/program/ports.ts";
import { lessonSubject, type Subject } from "../../commands/grade/subjects.ts";
import { idsWith, type Outcome } from "../../suite/outcome.ts";
import { prepare, type TestSettings } from "../../commands/grade/examine.ts";
import { netdemoCommand, run } from "../harness/process.ts";
import { python, tool } from "../harness/needs.ts";
import type { Changes, Correct } from "./programs.ts";

const folder = `${import.meta.dirname}/programs`;

/** What a language needs, by the extension of its files. */
const languages: Readonly<Record<string, { readonly tool: string; readonly compile: boolean }>> = {
  py: { tool: python() || "python3", compile: false },
  mjs: { tool: "node", compile: false },
  rb: { tool: "ruby", compile: false },
  pl: { tool: "perl", compile: false },
  c: { tool: "cc", compile: true },
  go: { tool: "go", compile: true },
  java: { tool: "javac", compile: true },
};

function languageOf(file: string) {
  return languages[file.slice(file.lastIndexOf(".") + 1)] ?? { tool: "sh", compile: false };
}

/** Returns the tool that a program needs, if it is missing here. */
export function missingTool({ file }: Pick<Correct, "file">): string | undefined {
  const { tool: name } = languageOf(file);
  return tool(name).isMet() ? undefined : name;
}

/** A folder of programs ready to start; it is removed with its scope. */
export class Workshop implements AsyncDisposable {
  readonly #folder = Deno.makeTempDirSync();
  #count = 0;

  /** Returns the command that starts a program, with its changes applied, compiled if necessary. */
  async command(program: Correct): Promise<string[]> {
    const { args = ["{port}"], file } = program;
    const source = program.changes === undefined
      ? `${folder}/${file}`
      : await this.#changed(file, program.changes);
    return [...await this.#starting(source), ...args];
  }

  /** Returns the command that starts a program of one file, whose port is `{port}`. */
  async commandFor(language: string, source: string): Promise<string[]> {
    const place = `${this.#folder}/${this.#count++}`;
    await Deno.mkdir(place);
    const path = `${place}/Program.${language}`;
    await Deno.writeTextFile(path, source);
    return [...await this.#starting(path), "{port}"];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #changed(file: string, changes: Changes): Promise<string> {
    const text = await changed(file, changes);
    const place = `${this.#folder}/${this.#count++}`;
    await Deno.mkdir(place);
    const path = `${place}/${file.slice(file.lastIndexOf("/") + 1)}`;
    await Deno.writeTextFile(path, text);
    return path;
  }

  async #starting(source: string): Promise<string[]> {
    const { tool, compile } = languageOf(source);
    if (!compile) return [tool, source];
    const output = `${this.#folder}/built${this.#count++}`;
    if (tool === "cc") {
      await build("cc", "-O0", "-w", "-fstack-protector-all", "-o", output, source, "-pthread");
    }
    if (tool === "go") await build("go", "build", "-o", output, source);
    if (tool !== "javac") return [output];
    await build("javac", "-d", output, source);
    const [, name = ""] = /(\w+)\.java$/.exec(source) ?? [];
    // Small and quick to start: Java itself is not under test.
    return [
      "java",
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      "-Xshare:auto",
      "-cp",
      output,
      name,
    ];
  }
}

async function build(...command: string[]): Promise<void> {
  const { code, stderr } = await run(command);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

/** A program with changes. @throws {Error} if what one replaces does not occur once. */
export async function changed(file: string, changes: Changes): Promise<string> {
  let text = await Deno.readTextFile(`${folder}/${file}`);
  for (const [from, to] of changes) {
    if (text.split(from).length !== 2) throw new Error(`must occur once in ${file}: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** The result of an examination; `text` says all about its failures. */
export interface Graded {
  readonly failed: readonly string[];
  readonly passed: readonly string[];
  readonly skipped: readonly string[];
  readonly text: string;
  readonly elapsedMs: number;
}

/** Examines a program as the command does, within this process. */
export async function gradeProgram(
  program: Pick<Correct, "subject" | "level" | "udp" | "lines" | "skip">,
  command: readonly string[],
  only?: ReadonlySet<string>,
): Promise<Graded> {
  const protocol = program.udp ? "udp" : "tcp";
  const subject = lessonSubject(program.subject, protocol, program.lines);
  if (subject === undefined) throw new Error(`no subject ${program.subject}`);
  const { level, skip } = program;
  return await gradeSubject(subject, command, { level, only, skip: new Set(skip) });
}

/** Examines a program that speaks what a subject says. */
export async function gradeSubject(
  subject: Subject,
  command: readonly string[],
  options: Pick<TestSettings, "level" | "only" | "skip">,
): Promise<Graded> {
  const startedAt = performance.now();
  const outcomes: Outcome[] = [];
  using ports = await Ports.reserve();
  await using prepared = prepare({
    subject,
    ...options,
    timeout: 2_000,
    random: Math.random,
    ports,
    command,
  });
  for await (const outcome of prepared.outcomes(new AbortController().signal)) {
    outcomes.push(outcome);
  }
  const text = outcomes.map(({ test, status, detail, see, evidence }) =>
    [
      `${status} ${test.id}: ${test.sentence} ${
        see === undefined ? detail ?? "" : `not judged: see ${see}`
      }`,
      ...Object.entries({
        ...evidence,
        why: evidence?.why ?? test.why,
        fix: evidence?.fix ?? test.fix,
      })
        .filter(([, value]) => status === "fail" && value !== undefined)
        .map(([name, value]) => `  ${name.padEnd(5)} ${value}`),
    ].join("\n")
  ).join("\n");
  return {
    failed: idsWith("fail", outcomes),
    passed: idsWith("pass", outcomes),
    skipped: idsWith("skip", outcomes),
    text,
    elapsedMs: performance.now() - startedAt,
  };
}

/** The suite grades every third program; `task grade-programs` and `.ci/run` grade all. */
const STEP = Deno.env.has("ALL_PROGRAMS") ? 1 : 3;

/** The programs to grade in this run. */
export function shareOf<T>(programs: readonly T[]): T[] {
  return programs.filter((_, index) => index % STEP === 0);
}

/** Does the work for each item, at most `limit` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  await Promise.all(Array.from({ length: limit }, async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  }));
}

/** netdemo's own programs, as grade starts them. */
export function ownProgram(name: string, ...args: string[]): string[] {
  return [...netdemoCommand, name, ...args];
}

/** Starts programs that each keep a processor busy until their scope ends. */
export function busyLoops(): AsyncDisposable {
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
