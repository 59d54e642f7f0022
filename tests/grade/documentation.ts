/** Writes the table of checks into docs/grade.md: `task grade-docs`. */
import { entries } from "../../commands/grade/checks/catalogue.ts";
import { lessonSubject, levels, subjectNames } from "../../commands/grade/subjects.ts";
import { readTaskLine } from "../harness/task_line.ts";

const path = `${import.meta.dirname}/../../docs/grade.md`;
const [BEGIN, END] = ["<!-- checks: begin -->", "<!-- checks: end -->"];

/** Returns docs/grade.md as it is, and as it should be. */
export async function documentation(): Promise<{ found: string; expected: string }> {
  const found = await Deno.readTextFile(path);
  const [before = "", rest = ""] = found.split(BEGIN);
  const [, after = ""] = rest.split(END);
  return { found, expected: await formatted(`${before}${BEGIN}\n\n${checks()}\n${END}${after}`) };
}

/** Every program of the lesson, over both protocols. */
export const lessonSubjects = (["tcp", "udp"] as const).flatMap((protocol) =>
  subjectNames.flatMap((name) => lessonSubject(name, protocol) ?? [])
);

/** Formats every check, the easiest level first. */
function checks(): string {
  const all = entries(
    (["tcp", "udp"] as const).flatMap((protocol) =>
      subjectNames.flatMap((name) => lessonSubject(name, protocol) ?? [])
    ),
  );
  return levels.map((level) => {
    const own = all.filter((entry) => entry.level === level).map(({ check, sentences, subjects }) =>
      [
        `#### \`${check.id}\`: ${plain(sentences.join("; "))}`,
        "",
        `${subjects.join(", ")}`,
        "",
        `- **How**: ${plain(check.how)}`,
        `- **Why**: ${plain(check.why)}.`,
        `- **Fix**: ${plain(check.fix)}.`,
        "",
      ].join("\n")
    );
    return `### ${level}\n\n${own.join("\n")}`;
  }).join("\n");
}

/** Escapes the characters that Markdown would interpret. */
function plain(text: string): string {
  return text.replaceAll(/[*_<]/g, "\\$&");
}

async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--line-width", "100", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}

if (import.meta.main) {
  readTaskLine({ usage: "grade-docs" });
  await Deno.writeTextFile(path, (await documentation()).expected);
}
