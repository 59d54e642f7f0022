/**
 * Runs `path` against the real forwarders installed here, and writes the tables of docs/path.md:
 * questions down, forwarders across.
 *
 * deno task forwarders [NAME...]: only these, without writing the tables.
 */
import { questionsOver } from "../commands/path/questions.ts";
import { examine, freePort, type QuestionEvent } from "./path/examine.ts";
import {
  missing,
  type RealForwarder,
  realForwarders,
  Running,
  versionOf,
} from "./path/real_forwarders.ts";

const page = new URL("../docs/path.md", import.meta.url);

/** How a forwarder did, by question id. */
interface Column {
  readonly forwarder: RealForwarder;
  readonly version: string;
  readonly answers: ReadonlyMap<string, QuestionEvent>;
}

// deno-lint-ignore no-console -- a script that reports to whoever runs it
const say = console.log;

async function ask(forwarder: RealForwarder): Promise<Column> {
  const [from, to] = [freePort(), freePort()];
  await using _ = await Running.start(forwarder, from, to);
  const target = `${forwarder.protocol}://127.0.0.1:${from}`;
  const { questions } = await examine("--listen", `127.0.0.1:${to}`, "--for", "10s", target);
  return {
    forwarder,
    version: await versionOf(forwarder),
    answers: new Map(questions.map((question) => [question.id, question])),
  };
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

function table(protocol: "tcp" | "udp", columns: readonly Column[]): string {
  const own = columns.filter(({ forwarder }) => forwarder.protocol === protocol);
  const head = own.map(({ forwarder: { name }, version }) => `${name} ${version}`);
  const rows = questionsOver(protocol).filter(({ id }) => id !== "idle").map(({ id }) => [
    `\`${id}\``,
    ...own.map(({ answers }) => cell(answers.get(id))),
  ]);
  const lines = [["question", ...head], ["---", ...head.map(() => "---")], ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The page with the content between a table's marks replaced. */
function withTable(text: string, protocol: "tcp" | "udp", content: string): string {
  const [start, end] = [
    `<!-- ${protocol} forwarders -->`,
    `<!-- end of ${protocol} forwarders -->`,
  ];
  const [before, rest] = text.split(start);
  const [, after] = (rest ?? "").split(end);
  if (before === undefined || after === undefined) {
    throw new Error(`Cannot write the table as ${page.pathname} has no marks for it: ${start}`);
  }
  return `${before}${start}\n\n${content}\n\n${end}${after}`;
}

const columns: Column[] = [];
const skipped: string[] = [];
for (const forwarder of realForwarders) {
  const { name, protocol } = forwarder;
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  const lacking = missing(forwarder);
  if (lacking.length > 0) {
    say(`skipped ${name} (${protocol}): no ${lacking.join(", ")} here`);
    skipped.push(name);
    continue;
  }
  const column = await ask(forwarder);
  columns.push(column);
  say(`${name} ${column.version} (${protocol})`);
  for (const { id, status, detail } of column.answers.values()) {
    if (status !== "pass") say(`  ${status} ${id}: ${detail}`);
  }
}

if (Deno.args.length === 0) {
  const asked = `Asked on ${Deno.build.target}, over loopback.`;
  const lacking = skipped.length === 0 ? "" : ` Not installed there: ${skipped.join(", ")}.`;
  let text = await Deno.readTextFile(page);
  for (const protocol of ["tcp", "udp"] as const) {
    text = withTable(text, protocol, `${table(protocol, columns)}\n\n${asked}${lacking}`);
  }
  await Deno.writeTextFile(page, text);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page.pathname] }).output();
  say(`written to docs/path.md; skipped: ${skipped.join(", ") || "none"}`);
}
Deno.exit(0);
