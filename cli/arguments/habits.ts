import { commandMeant } from "../../protocol/notation.ts";
import { shellWord } from "../../text/shell.ts";
import type { Command, Program } from "../command.ts";
import { systemWords } from "../system_words.ts";
import { parseCommandLine } from "./flags.ts";
import { nameShapes, otherFlags, type Shape, wordShapes } from "./habit_table.ts";

const MAX_WORDS = 500; // longer lines come from a shell that expanded a *

/** Words as they should be typed, and what was wrong with them, if anything was. */
interface Corrected {
  readonly words: readonly string[];
  readonly why?: string | undefined;
}

/**
 * Returns the line to type in place of one that follows another tool's habit, and why: `a port goes
 * after --port: netdemo calc-server --port 4040`. `undefined` if its command would refuse the line.
 */
export async function habitHint(
  args: readonly string[],
  commands: readonly Command[],
  { python } = systemWords(),
): Promise<string | undefined> {
  if (args.length > MAX_WORDS || args.includes("--")) return undefined;
  const named = withName(args, commands.map(({ name }) => name));
  const [name = "", ...rest] = named.words;
  const program = await commands.find((command) => command.name === name)?.load();
  if (program === undefined) return undefined;
  try {
    const { words, why = named.why } = withArguments(name, rest, program);
    const line = words.map((word) => word === "PYTHON" ? python : word);
    await program.parse(line);
    return why && `${why}: netdemo ${[name, ...line].map(shellWord).join(" ")}`;
  } catch {
    return undefined;
  }
}

/** `ping web:4040` -> `check web:4040`, `calc server` -> `calc-server` */
function withName(args: readonly string[], names: readonly string[]): Corrected {
  const lines = [[], ...nameShapes.map((shape) => [shape])].map((shapes) => reshaped(args, shapes));
  return lines.find(({ words: [name = ""] }) => names.includes(name)) ?? { words: args };
}

/** `--wait 10 4040` -> `--for 10 :4040` */
function withArguments(name: string, args: readonly string[], program: Program): Corrected {
  const renamed = args.map((arg) => withOwnFlag(arg, program));
  const line = parseCommandLine(renamed.flatMap(({ words }) => words), program.flags);
  const shapes = program.takesText ? [] : wordShapes.filter(([of]) => of.test(name));
  const ordered: Corrected = /^(?:calc-client|demo)$/.test(name) ? inOrder(line.words) : line;
  const shaped = reshaped(ordered.words, shapes.map(([, ...shape]) => shape));
  const [why] = [ordered, shaped, ...renamed].flatMap(({ why = [] }) => why);
  return { words: [...line.order.flatMap(({ typed = [] }) => typed), ...shaped.words], why };
}

/** `--wait` -> `--for`, `--bind=0.0.0.0` -> `0.0.0.0`, `explain` or `—explain` -> `--explain` */
function withOwnFlag(arg: string, { flags, takesText }: Program): Corrected {
  const [, dashes = "", name = "", value = ""] = /^([-–—]*)([\w-]+)(?:=(.*))?$/s.exec(arg) ?? [];
  const isOwn = Object.entries(flags).some(([long, { short }]) => long === name || short === name);
  if (isOwn && dashes !== (name.length > 1 ? "--" : "-") && (dashes || !takesText)) {
    return { words: [`--${arg.slice(dashes.length)}`], why: "a flag begins with --" };
  }
  const known = [...Object.keys(flags).map((flag) => `--${flag}`), "udp", "tls", ""];
  const meant = known.find((flag) => otherFlags[flag]?.split(" ").includes(name));
  if (dashes === "" || isOwn || meant === undefined) return { words: [arg] };
  const why = meant === "" ? "it needs no flag here" : `the flag is ${meant} here`;
  return { words: [meant, value].filter(Boolean), why };
}

/** `:4040 10 + 20` -> `:4040 10 20 +` */
function inOrder(words: readonly string[]): Corrected {
  const start = /^(?:calc|\S*:\d+)$/.test(words[0] ?? "") ? 1 : 0;
  const meant = commandMeant(words.slice(start).join(" "));
  if (meant === undefined) return { words };
  const why = meant.wrong === "order" ? "the operator comes last" : "the operators are + - * /";
  return { words: [...words.slice(0, start), ...meant.request.split(" ")], why };
}

/** Applies the shapes that fit, one after another. */
function reshaped(words: readonly string[], shapes: readonly Shape[]): Corrected {
  if (words.some((word) => word.includes(" "))) return { words };
  let line = words.join(" ");
  let why: string | undefined;
  for (const [typed, meant, reason] of shapes) {
    const changed = line.replaceAll(new RegExp(`(?<=^| |=)(?:${typed})(?= |$)`, "g"), meant);
    if (changed !== line) why ??= reason;
    line = changed;
  }
  return { words: line.split(" ").filter(Boolean), why };
}
