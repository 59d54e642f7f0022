// deno-lint-ignore-file no-console -- a build script speaks to who runs it
/** Writes those pages and pictures of docs/ that the program itself makes: `task docs`. */
import { commandHelp } from "../cli/help.ts";
import { commands, main } from "../main.ts";
import type { Fields } from "../cli/event_fields.ts";
import { events } from "../cli/events.ts";
import { Output } from "../cli/output.ts";

const docs = `${import.meta.dirname}/../docs`;
/** Columns of the help in docs/reference.md. */
const COLUMNS = 100;

/** Every command with its help, as Markdown. */
export async function reference(): Promise<string> {
  const sections = await Promise.all(commands.map(async (command) => {
    const help = commandHelp(command, await command.load(), COLUMNS);
    return `## ${command.name}\n\n\`\`\`text\n${help}\`\`\`\n`;
  }));
  return `# Reference\n\nWhat \`netdemo help COMMAND\` prints, for every command. ` +
    `Made by \`task docs\`.\n\n${sections.join("\n")}`;
}

/**
 * Every event of `--json`, with an example each: what docs/json.md says.
 *
 * @param examples A line for each event, by its name.
 */
export function pageOfEvents(examples: ReadonlyMap<string, string>): string {
  const sections = Object.entries(events).map(([name, { about, fields }]) => {
    const kinds = Object.entries(fields as Fields).map(([field, { name: kind, optional }]) =>
      `- \`${field}\`${optional ? " (may be absent)" : ""}: ${kind.replaceAll("|", "or")}\n`
    );
    const example = `\`\`\`jsonl\n${examples.get(name)}\n\`\`\``;
    const sentence = `${about.charAt(0).toUpperCase()}${about.slice(1)}.`;
    return `## ${name}\n\n${sentence}\n\n${example}\n\n${kinds.join("")}`;
  });
  return `${EVENTS_INTRODUCTION}\n${sections.join("\n")}`;
}

const EVENTS_INTRODUCTION = `# JSON

With \`--json\` each line on stdout is one JSON object, and \`event\` says what it is about. Whatever
fails, wrong usage included, is a \`failure\`. A thing has one name and one shape in all events: an
endpoint is \`10.0.0.7:4040\`, \`[::1]:4040\` or the path of a Unix socket (\`unnamed\` for the end that
connected to one); \`remote\` and \`local\` are the two ends of a socket; names that end in \`Ms\` are
milliseconds. What is not known, or was not reached, is absent, never 0 or null. New fields may
come; those that are here stay.

\`\`\`sh
netdemo calc-client localhost:4040 --json 10 20 + | jq -r .reply
netdemo calc-server --port 4040 --json | jq -r 'select(.event == "request") | .request'
\`\`\`

The types, the checks that the tests hold every line to, and this page come from one table,
\`cli/events.ts\`.
`;

/** The picture at the top of the README. */
export async function ladder(): Promise<string> {
  let svg = "";
  const stdout = new Output({
    write(bytes) {
      svg += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  const code = await main(["demo", "calc", "--svg"], { stdout, stderr: stdout });
  if (code !== 0) throw new Error(`Cannot draw the ladder: ${svg}`);
  return svg;
}

/** The examples that docs/json.md has, by the names of their events. */
export function examplesOf(page: string): Map<string, string> {
  const blocks = page.matchAll(/^## (\S+)\n[^]*?```jsonl\n(.*)\n```$/gm);
  return new Map([...blocks].map(([, name = "", line = ""]) => [name, line]));
}

if (import.meta.main) {
  const json = `${docs}/json.md`;
  await Deno.writeTextFile(json, pageOfEvents(examplesOf(await Deno.readTextFile(json))));
  await Deno.writeTextFile(`${docs}/reference.md`, await reference());
  await Deno.writeTextFile(`${docs}/ladder.svg`, await ladder());
  console.log("docs/json.md\ndocs/reference.md\ndocs/ladder.svg");
}
