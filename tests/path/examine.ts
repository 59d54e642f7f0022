import { assertEquals } from "@std/assert";
import { type Ended, netdemoInProcess, problemsOfLine, resets } from "../harness/mod.ts";

/** A `path --json` line about a question. */
export interface QuestionEvent {
  readonly event: "question";
  readonly id: string;
  readonly status: "pass" | "note" | "fail" | "allowed" | "skip";
  readonly detail: string;
  readonly elapsedMs: number;
  readonly explain?: string;
}

/** The last line of `path --json`. */
export interface SummaryEvent {
  readonly event: "summary";
  readonly ok: boolean;
  readonly questions: number;
  readonly failedIds: readonly string[];
  readonly allowedIds: readonly string[];
  readonly strays: number;
  readonly exitCode: number;
  readonly failure?: string;
  readonly elapsedMs: number;
}

/** The findings of `path --json`. */
export interface Examined extends Ended {
  readonly questions: readonly QuestionEvent[];
  readonly summary: SummaryEvent;
  /** `id: status` of all questions that did not pass. */
  readonly notPassed: readonly string[];
}

/** Runs `path --json` with these arguments in this process. */
export async function examine(...args: readonly string[]): Promise<Examined> {
  return readExamined(await netdemoInProcess(["path", "--json", ...args]));
}

/** What a `path --json` that has ended has found. */
export function readExamined(ended: Ended): Examined {
  const lines = ended.stdout.trimEnd().split("\n");
  assertEquals(lines.flatMap(problemsOfLine), [], ended.stdout);
  const events = lines.map((line) => JSON.parse(line));
  const questions: QuestionEvent[] = events.filter(({ event }) => event === "question");
  const [summary, ...rest] = events.slice(questions.length);
  assertEquals(summary?.event, "summary", ended.stderr);
  assertEquals(rest.map(({ event }) => event), ended.code === 0 ? [] : ["failure"]);
  const notPassed = questions
    .filter(({ status }) => status !== "pass")
    .map(({ id, status }) => `${id}: ${status}`);
  return { ...ended, questions, summary, notPassed };
}

/** Whether the netdemo under test skips a question because its runtime can't reset. */
export function isSkipped(id: string): boolean {
  return id.endsWith("-reset") && !resets.isMet();
}
