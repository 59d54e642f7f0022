import type { Command, Program } from "./command.ts";
import type { Flags, Switch, ValueFlag } from "./flags.ts";

/** What `netdemo` alone prints. */
export function overview(commands: readonly Command[], version: string): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `netdemo ${version}: the servers and clients of a first sockets lesson

Usage: netdemo COMMAND [FLAGS] [ARGUMENTS]

Commands:
${rows.join("\n")}
  ${"help".padEnd(width)}  shows this page, or how one command is used

Try it, in two terminals:
  netdemo calc-server --port 4040
  netdemo calc-client --port 4040 10 20 +

netdemo help COMMAND shows a command's flags; netdemo --version its version.
`;
}

/** What `netdemo help COMMAND` prints. */
export function commandHelp(command: Command, program: Program): string {
  const usage = ["Usage: netdemo", command.name, "[FLAGS]", program.usage].filter(Boolean).join(
    " ",
  );
  return `netdemo ${command.name}: ${command.summary}

${usage}

${program.about}

Flags:
${flagRows({ ...program.flags, help: { about: "show this page" } })}

Examples:
${program.examples.map((example) => `  ${example}`).join("\n")}
`;
}

function flagRows(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const left = flag.value === undefined ? `--${name}` : `--${name} ${flag.value}`;
    return { left, right: flag.about + defaultOf(flag) };
  });
  const width = Math.max(...rows.map(({ left }) => left.length));
  return rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

function defaultOf(flag: ValueFlag<unknown> | Switch): string {
  if (flag.value === undefined || flag.default === undefined) return "";
  return ` (default ${flag.show?.(flag.default) ?? flag.default})`;
}
