/**
 * Runs `path` against the real forwarders installed here, and writes the tables of docs/path.md.
 *
 * deno task forwarders [NAME...]: only these, without writing the tables.
 */
import { questionsOver } from "../commands/path/questions.ts";
import { readId } from "../cli/arguments/ids.ts";
import { freePort } from "./harness/free_port.ts";
import { writeBetweenMarks } from "./harness/page_table.ts";
import { readTaskLine } from "./harness/task_line.ts";
import { netdemoCommand, run } from "./harness/process.ts";
import { examine, type Examined, type QuestionEvent, readExamined } from "./path/examine.ts";
import { type RealForwarder, realForwarders } from "./path/real_forwarders.ts";
import { missing, nameWithVersion, Running } from "./path/running.ts";

const page = new URL("../docs/path.md", import.meta.url);

/** How a forwarder did, by question id. */
interface Asked {
  readonly forwarder: RealForwarder;
  /** Its name, with its version. */
  readonly name: string;
  readonly answers: ReadonlyMap<string, QuestionEvent>;
}

// deno-lint-ignore no-console -- a script that reports to whoever runs it
const say = console.log;

async function ask(forwarder: RealForwarder): Promise<Asked> {
  const [from, to] = [freePort(), freePort()];
  const target = `${forwarder.protocol}://127.0.0.1:${from}`;
  const args = ["--listen", `127.0.0.1:${to}`, "--for", "10s", target];
  const { questions } = forwarder.wraps
    ? await examineWithin(await forwarder.command(from, to, ""), args)
    : await examineBeside(forwarder, from, to, args);
  return {
    forwarder,
    name: await nameWithVersion(forwarder),
    answers: new Map(questions.map((question) => [question.id, question])),
  };
}

async function examineBeside(
  forwarder: RealForwarder,
  from: number,
  to: number,
  args: readonly string[],
): Promise<Examined> {
  await using _ = await Running.start(forwarder, from, to);
  return await examine(...args);
}

/** Runs path with a command that runs the one that follows it. */
async function examineWithin(
  command: readonly string[],
  args: readonly string[],
): Promise<Examined> {
  return readExamined(await run([...command, ...netdemoCommand, "path", "--json", ...args]));
}

/** `ok`, `note` or `**NOT**`, with the detail that distinguishes forwarders. */
function cell(answer: QuestionEvent | undefined): string {
  if (answer === undefined) return "";
  const [, nobody] = /^accepted, then (ended|left hanging)/.exec(answer.detail) ?? [];
  const [, bytes] = /got ([\d,]+) of [\d,]+ bytes$/.exec(answer.detail) ?? [];
  const more = nobody ?? bytes;
  const word = { pass: "ok", note: "note", skip: "-", allowed: "**NOT**", fail: "**NOT**" };
  return word[answer.status] + (more === undefined ? "" : ` (${more})`);
}

/** A row for each forwarder, a column for each question. */
function table(protocol: "tcp" | "udp", all: readonly Asked[]): string {
  const ids = questionsOver(protocol).map(({ id }) => id).filter((id) => id !== "idle");
  const rows = all.filter(({ forwarder }) => forwarder.protocol === protocol)
    .map(({ name, answers }) => [
      name,
      ...ids.map((id) => cell(answers.get(id))),
    ]);
  const head = ["forwarder", ...ids.map((id) => `\`${id}\``)];
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const known = [...new Set(realForwarders.map(({ name }) => name))];
const { words: only } = readTaskLine({
  usage: "forwarders [NAME...]",
  moreWords: (text, name) => readId(text, name, { known, what: "forwarders" }),
});
const all: Asked[] = [];
const skipped: string[] = [];
for (const forwarder of realForwarders) {
  const { name, protocol } = forwarder;
  if (only.length > 0 && !only.includes(name)) continue;
  const lacking = missing(forwarder);
  if (lacking.length > 0) {
    say(`skipped ${name} (${protocol}): no ${lacking.join(", ")} here`);
    skipped.push(name);
    continue;
  }
  const asked = await ask(forwarder);
  all.push(asked);
  say(`${asked.name} (${protocol})`);
  for (const { id, status, detail } of asked.answers.values()) {
    if (status !== "pass") say(`  ${status} ${id}: ${detail}`);
  }
}

if (only.length === 0) {
  const where = `Asked on ${Deno.build.target}, over loopback.`;
  const lacking = skipped.length === 0 ? "" : ` Not installed there: ${skipped.join(", ")}.`;
  for (const protocol of ["tcp", "udp"] as const) {
    const content = `${table(protocol, all)}\n\n${where}${lacking}`;
    await writeBetweenMarks(page, `${protocol} forwarders`, content);
  }
  say(`written to docs/path.md; skipped: ${skipped.join(", ") || "none"}`);
}
Deno.exit(0);
