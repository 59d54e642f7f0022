// deno-lint-ignore-file no-console -- a build script speaks to who runs it
/** Writes those pages and pictures of docs/ that the program itself makes: `task docs`. */
import { commandHelp } from "../cli/help.ts";
import { commands, main } from "../main.ts";
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

if (import.meta.main) {
  await Deno.writeTextFile(`${docs}/reference.md`, await reference());
  await Deno.writeTextFile(`${docs}/ladder.svg`, await ladder());
  console.log("docs/reference.md\ndocs/ladder.svg");
}
