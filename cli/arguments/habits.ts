import { shellWord } from "../../text/shell.ts";
import type { Command } from "../command.ts";
import { type SystemWords, systemWords } from "../system_words.ts";
import { type Flags, parseCommandLine } from "./flags.ts";
import { type Form, nameForms, otherFlags, wordForms } from "./habit_table.ts";

/** Stands before a flag that the command takes, and before its value, which a space would part. */
const BOND = "\x01";
/** Longer lines are not typed, but may come from a shell that expanded a `*`. */
const MAX_WORDS = 500;

/**
 * Returns the line to type in place of one that follows a habit of another tool, and
 * why: `a port goes after --port: netdemo calc-server --port 4040`. Its command has
 * parsed the line; `undefined` if there is none that it accepts.
 */
export async function habitHint(
  args: readonly string[],
  commands: readonly Command[],
  system = systemWords(),
): Promise<string | undefined> {
  if (args.length > MAX_WORDS) return undefined;
  const names = commands.map((command) => command.name);
  const services = names.flatMap((name) => /^\w+(?=-server$)/.exec(name) ?? []);
  const named = applied(nameForms, lineOf(args), {
    COMMAND: names.join("|"),
    SERVICE: services.join("|"),
  });
  const [name = "", ...rest] = wordsOf(named.line);
  const program = await commands.find((command) => command.name === name)?.load();
  const isPage = name === "--version" || (name === "help" && names.includes(rest[0] ?? names[0]!));
  if (program === undefined && !isPage) return undefined;
  const { words, whys, tail } = program === undefined
    ? { words: rest, whys: [], tail: [] }
    : lineFor(name, rest, program.flags, system);
  const [why] = [...named.whys, ...whys];
  try {
    await program?.parse(words);
  } catch {
    return undefined;
  }
  return why && `${why}: netdemo ${[name, ...words].map(shellWord).concat(tail).join(" ")}`;
}

/** Arguments as a line that forms are matched against; a space within one does not part it. */
function lineOf(args: readonly string[], space = " "): string {
  return args.map((arg) => arg.replaceAll(" ", "\0")).join(space);
}

function wordsOf(line: string): string[] {
  const words = line.replaceAll(BOND, " ").split(" ").filter(Boolean);
  return words.map((word) => word.replaceAll("\0", " "));
}

/** Applies forms to a line, in turn. @param blanks What stands for the words in capitals. */
function applied(forms: readonly Form[], line: string, blanks: Readonly<Record<string, string>>) {
  const capitals = /COMMAND|SERVICE|FLAG|PYTHON|BACKGROUND|QUIET/g;
  const filled = (text: string) => text.replaceAll(capitals, (blank) => blanks[blank] ?? "");
  return forms.reduce(({ line, whys }, [typed, meant, why]) => {
    const changed = line.replaceAll(new RegExp(filled(typed), "g"), filled(meant));
    return { line: changed, whys: changed === line ? whys : [...whys, why] };
  }, { line, whys: [] as readonly string[] });
}

/** A command's arguments with its own flags, and with the words as it takes them. */
function lineFor(name: string, args: readonly string[], flags: Flags, system: SystemWords) {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const blanks = {
    FLAG: Object.keys(flags).join("|") || "-",
    PYTHON: system.python,
    BACKGROUND: system.background,
    QUIET: system.quiet.replaceAll(" ", BOND),
  };
  const flagged = applied(flagForms(flags, system), withBonds(args.slice(0, end), flags), blanks);
  const tokens = flagged.line.split(" ").filter(Boolean);
  const { own = [], words = [], tail = [] } = Object.groupBy(tokens, partOf);
  const forms = wordForms.filter(([of]) => new RegExp(`^(?:${of})$`).test(name));
  const formed = applied(forms.map(([, ...form]) => form), words.join(" "), blanks);
  const inOrder = tokens[0] === words[0]
    ? formed.line.replace(/ -- |$/, (dashes) => ` ${own.join(" ")}${dashes}`)
    : [...own, formed.line].join(" ");
  return {
    words: [...wordsOf(inOrder), ...args.slice(end)],
    whys: [...formed.whys, ...flagged.whys],
    tail: wordsOf(tail.join(" ")),
  };
}

/** Whether a word of a line is a flag, known or not, for the shell, or neither. */
function partOf(word: string): "own" | "tail" | "words" {
  if (word.startsWith(BOND) || /^--?[A-Za-z]/.test(word)) return "own";
  return word === "&" || word.startsWith(`>${BOND}`) ? "tail" : "words";
}

/** Arguments as a line, in which a flag of the command's own is one word with its value. */
function withBonds(args: readonly string[], flags: Flags): string {
  const words: string[] = [];
  for (let index = 0; index < args.length;) {
    const count = [1, 2].find((count) => isOwn(args.slice(index, index + count), flags));
    words.push((count ? BOND : "") + lineOf(args.slice(index, index + (count ?? 1)), BOND));
    index += count ?? 1;
  }
  return words.join(" ");
}

/** Whether these arguments are one of the command's own flags, with a value that it takes. */
function isOwn(args: readonly string[], flags: Flags): boolean {
  const [, long = "", short] = /^(?:--([\w-]+)|-(\w))/.exec(args[0]!) ?? [];
  const named = Object.values(flags).some((flag) => short !== undefined && flag.short === short);
  if (!named && !Object.hasOwn(flags, long)) return false;
  try {
    return parseCommandLine(args, flags).words.length === 0;
  } catch {
    return false;
  }
}

/** The forms of other tools' flags, for a command with these flags. */
function flagForms(flags: Flags, { inBackground }: SystemWords): readonly Form[] {
  return Object.entries(otherFlags).flatMap(([meant, names]): Form[] => {
    const [flag, long = ""] = /^--(\S+)/.exec(meant) ?? [];
    if (flag !== undefined && !Object.hasOwn(flags, long)) return [];
    const own = flag !== undefined && `the flag is ${flag} here`;
    const why = own || (meant === "BACKGROUND" ? inBackground : "it needs no flag here");
    const bound = (flag === undefined ? "" : BOND) + meant.replaceAll(" ", BOND);
    const [value, typed] = meant.includes("TIME")
      ? ["[= ](\\d\\S*)", bound.replace("TIME", "$$2")]
      : meant.includes("VALUE")
      ? [`[= ]([^- ${BOND}]\\S*)`, bound.replace("VALUE", "$$2")]
      : ["(?:=(\\S*))?", `${bound} $2`];
    return [[`(^| )--?(?:${names.replaceAll(" ", "|")})${value}(?= |$)`, `$1${typed}`, why]];
  });
}
