import { Failure, misuse } from "./errors/failure.ts";
import type { Command, Version } from "./command.ts";
import { type Channels, openChannels, PATIENCE_MS } from "./output/channels.ts";
import { reportFailure } from "./errors/report_failure.ts";
import { suggest } from "./arguments/suggest.ts";

/** Topics that `help` explains besides the commands. Their texts are loaded on demand. */
export const topics: readonly string[] = ["exit-codes", "targets", "conversations", "json"];

/**
 * Runs the command named by the arguments.
 *
 * @returns the exit code. Failures are reported on stderr, and with `--json` on
 * stdout too; they are never thrown.
 */
export async function dispatch(
  args: readonly string[],
  commands: readonly Command[],
  version: Version,
  channels: Channels = openChannels(),
): Promise<number> {
  let exitCode: number;
  try {
    exitCode = await run(args, commands, version, channels);
  } catch (error) {
    const failure = isUsage(error) ? await withHint(error, args, commands) : error;
    exitCode = await reportFailure(failure, channels, asksFor(args, "--json"));
  }
  await channels.stdout.close(PATIENCE_MS);
  await channels.stderr.close(PATIENCE_MS);
  return exitCode;
}

async function run(
  args: readonly string[],
  commands: readonly Command[],
  version: Version,
  channels: Channels,
): Promise<number> {
  if (args.includes("-encodedCommand")) {
    (await import("./arguments/script_block.ts")).refuseScriptBlock(args);
  }
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V") {
    const { number, runtime, target } = version;
    return await show(`netdemo ${number} (${runtime}, ${target})\n`, channels);
  }
  if (name === undefined || name === "help" || isHelpFlag(name)) {
    return await help(rest.filter((word) => !isHelpFlag(word)), commands, version, channels);
  }
  const command = find(name, commands);
  if (asksFor(rest, "--help", "-h")) return await help([name], commands, version, channels);
  const start = await (await command.load()).parse(rest);
  return await start(channels);
}

async function help(
  words: readonly string[],
  commands: readonly Command[],
  version: Version,
  channels: Channels,
): Promise<number> {
  const [name, surplus] = words;
  if (surplus !== undefined) {
    const hint = "netdemo help lists the commands";
    throw misuse(`help takes one command: received '${surplus}' as well`, { hint });
  }
  const { commandHelp, overview } = await import("./arguments/help.ts");
  const columns = await helpColumns();
  if (name === undefined || name === "help") {
    return await show(overview(commands, version, columns), channels);
  }
  if (topics.includes(name)) {
    const { topic } = await import("./arguments/topics.ts");
    return await show(topic(name, columns), channels);
  }
  const command = find(name, commands, topics);
  return await show(await commandHelp(command, await command.load(), columns), channels);
}

/** Columns of the help: those of the terminal, up to a readable line length. */
async function helpColumns(): Promise<number> {
  const { displayOf } = await import("./output/terminal.ts");
  return Math.min(displayOf(Deno.stdout).columns, 100);
}

async function show(text: string, channels: Channels): Promise<number> {
  channels.stdout.text(text);
  await channels.stdout.flush();
  return 0;
}

/** @param more Other names that the user may have meant. */
function find(name: string, commands: readonly Command[], more: readonly string[] = []): Command {
  const command = commands.find((command) => command.name === name);
  if (command !== undefined) return command;
  if (name.startsWith("-")) {
    const hint = suggest(name, ["--help", "--version"]) ??
      "a command comes before its flags; --help and --version need none";
    throw misuse(`unknown flag ${name}`, { hint });
  }
  const known = [...commands.map((command) => command.name), "help", "--version", ...more];
  const hint = suggest(name, known) ?? "netdemo help lists the commands";
  throw misuse(`unknown command ${name.trim() || `'${name}'`}`, { hint });
}

function isUsage(error: unknown): error is Failure {
  return error instanceof Failure && error.kind === "USAGE";
}

/**
 * Adds a hint to a usage error: the line to type, if the user followed a habit of
 * another tool; otherwise the failure's own hint, or where to read more.
 */
async function withHint(
  { kind, message, hint, excerpt }: Failure,
  args: readonly string[],
  commands: readonly Command[],
): Promise<Failure> {
  const { habitHint } = await import("./arguments/habits.ts");
  const meant = await habitHint(args, commands);
  if (meant !== undefined) return new Failure(kind, message, { hint: meant });
  return new Failure(kind, message, { hint: hint ?? await pageHint(args[0], commands), excerpt });
}

/** Returns a hint on where to read more. */
async function pageHint(name: string | undefined, commands: readonly Command[]): Promise<string> {
  const command = commands.find((command) => command.name === name);
  if (command === undefined) return "netdemo help lists the commands";
  const { takesText } = await command.load();
  const text = takesText ? "; text that begins with a dash goes after --" : "";
  return `netdemo help ${name} shows how it is used${text}`;
}

/** Whether one of the flags is given before `--`, after which everything is text. */
export function asksFor(args: readonly string[], ...flags: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).some((arg) => flags.includes(arg));
}

function isHelpFlag(word: string): boolean {
  return word === "--help" || word === "-h";
}
