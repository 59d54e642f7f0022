import { Failure } from "./failure.ts";
import type { Command } from "./command.ts";
import { commandHelp, overview } from "./help.ts";
import { type Channels, openChannels, PATIENCE_MS, reportFailure } from "./report.ts";
import { suggest } from "./suggest.ts";

/**
 * Runs the command that the arguments name.
 *
 * @returns the exit code. Failures are reported on stderr, never thrown.
 */
export async function dispatch(
  args: readonly string[],
  commands: readonly Command[],
  version: string,
  channels: Channels = openChannels(),
): Promise<number> {
  let exitCode: number;
  try {
    exitCode = await run(args, commands, version, channels);
  } catch (error) {
    exitCode = reportFailure(error, channels, asksFor(args, "--json"));
  }
  await channels.stdout.close(PATIENCE_MS);
  await channels.stderr.close(PATIENCE_MS);
  return exitCode;
}

async function run(
  args: readonly string[],
  commands: readonly Command[],
  version: string,
  channels: Channels,
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h") {
    return await show(overview(commands, version), channels);
  }
  if (name === "--version" || name === "-V") {
    return await show(`netdemo ${version}\n`, channels);
  }
  if (name === "help") return await help(rest, commands, version, channels);

  const command = find(name, commands);
  if (asksFor(rest, "--help", "-h")) return await help([name], commands, version, channels);
  const program = await command.load();
  try {
    return await program.run(rest, channels);
  } catch (error) {
    const isUsage = error instanceof Failure && error.kind === "USAGE";
    if (!isUsage || error.hint !== undefined) throw error;
    const hint = `netdemo help ${name} shows how it is used`;
    throw new Failure(error.kind, error.message, { cause: error, hint });
  }
}

async function help(
  words: readonly string[],
  commands: readonly Command[],
  version: string,
  channels: Channels,
): Promise<number> {
  const [name, surplus] = words;
  if (surplus !== undefined) {
    const hint = "netdemo help lists the commands";
    throw new Failure("USAGE", `help takes one command: received '${surplus}' as well`, { hint });
  }
  if (name === undefined || name === "help") {
    return await show(overview(commands, version), channels);
  }
  const command = find(name, commands);
  return await show(commandHelp(command, await command.load()), channels);
}

async function show(text: string, channels: Channels): Promise<number> {
  channels.stdout.text(text);
  await channels.stdout.flush();
  return 0;
}

function find(name: string, commands: readonly Command[]): Command {
  const command = commands.find((command) => command.name === name);
  if (command !== undefined) return command;
  const known = name.startsWith("-")
    ? ["--help", "--version"]
    : [...commands.map((command) => command.name), "help"];
  const hint = suggest(name, known) ?? "netdemo help lists the commands";
  throw new Failure("USAGE", `unknown ${name.startsWith("-") ? "flag" : "command"} ${name}`, {
    hint,
  });
}

/** Whether one of the flags is given before a `--` makes text of all that follows. */
function asksFor(args: readonly string[], ...flags: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).some((arg) => flags.includes(arg));
}
