import { type SystemWords, systemWords } from "../system_words.ts";
import { shellWord } from "../../text/shell.ts";
import type { Command } from "../command.ts";
import { type Flags, parseCommandLine } from "./flags.ts";
import { type Form, nameForms, otherFlags, placeForms, wordForms } from "./habit_table.ts";

/** Longer lines are not typed, but may come from a shell that expanded a `*`. */
const MAX_WORDS = 500;

/** The reasons for the changes to a line, and what follows it for the shell. */
interface Draft {
  readonly system: SystemWords;
  readonly whys: string[];
  readonly tail: string[];
}

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
  const draft: Draft = { system, whys: [], tail: [] };
  const names = commands.map((command) => command.name);
  const services = names.flatMap((name) => /^\w+(?=-server$)/.exec(name) ?? []);
  const blanks = { COMMAND: names.join("|"), SERVICE: services.join("|") };
  const [name = "", ...rest] = wordsOf(applied(nameForms, lineOf(args), draft, blanks));
  const program = await commands.find((command) => command.name === name)?.load();
  const isPage = name === "--version" || (name === "help" && names.includes(rest[0] ?? names[0]!));
  if (program === undefined && !isPage) return undefined;
  try {
    const meant = program === undefined ? rest : withWords(name, rest, program.flags, draft);
    await program?.parse(meant);
    const [why] = draft.whys;
    return why &&
      `${why}: netdemo ${[name, ...meant].map(shellWord).concat(draft.tail).join(" ").trimEnd()}`;
  } catch {
    return undefined;
  }
}

/** Arguments as a line that forms are matched against; a space within one does not part it. */
function lineOf(args: readonly string[]): string {
  return args.map((arg) => arg.replaceAll(" ", "\0")).join(" ");
}

function wordsOf(line: string): string[] {
  return line.split(" ").filter(Boolean).map((word) => word.replaceAll("\0", " "));
}

/** Applies forms to a line, in turn. @param blanks What stands for the words in capitals. */
function applied(
  forms: readonly Form[],
  line: string,
  { whys, system: { python } }: Draft,
  blanks: Readonly<Record<string, string>> = {},
): string {
  return forms.reduce((line, [typed, meant, why]) => {
    const pattern = typed.replaceAll(/COMMAND|SERVICE|FLAG/g, (blank) => blanks[blank] ?? "");
    const changed = line.replace(new RegExp(pattern), meant.replace("PYTHON", python));
    if (changed !== line) whys.push(why);
    return changed;
  }, line);
}

/** Replaces other tools' flags and forms of words. @throws {Failure} for a flag that is left. */
function withWords(
  name: string,
  args: readonly string[],
  flags: Flags,
  draft: Draft,
): readonly string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const flag = /(?<!\S)--?([A-Za-z][\w-]*|[46])(?:[= ]([^-\s]\S*))?(?= |$)/g;
  const own = wordsOf(
    lineOf(args.slice(0, end)).replaceAll(
      flag,
      (typed, name, value) =>
        isOwn(name, value, flags) ? typed : flagFor(name, value, flags, draft) ?? typed,
    ),
  );
  const { words } = parseCommandLine(own, flags);
  const forms = wordForms.filter(([of]) => new RegExp(`^(?:${of})$`).test(name));
  const blanks = { FLAG: Object.keys(flags).join("|") || "-" };
  const meant = applied(forms.map(([, ...form]) => form), lineOf(words), draft, blanks);
  if (meant === lineOf(words)) return [...own, ...args.slice(end)];
  // The words are put where the first of them was.
  const at = own.indexOf(words[0] ?? "");
  const left = [...words];
  const others = own.filter((arg) => left[0] !== arg || left.shift() === undefined);
  return [...others.slice(0, at), ...wordsOf(meant), ...others.slice(at), ...args.slice(end)];
}

/** Whether a flag is one of the command's, with a value that it takes. */
function isOwn(name: string, value: string | undefined, flags: Flags): boolean {
  const flag = flags[name] ?? Object.values(flags).find(({ short }) => short === name);
  try {
    if (flag?.value !== undefined) flag.read(value ?? "", name);
    return flag !== undefined;
  } catch {
    return false;
  }
}

/** What is typed for another tool's flag and the word after it; `undefined` if nothing is known. */
function flagFor(
  name: string,
  value = "",
  flags: Flags,
  draft: Draft,
): string | undefined {
  for (const [meant, others] of Object.entries(otherFlags)) {
    const names = others.split(" ");
    if (!names.includes(name) && !names.includes(`${name}=${value}`)) continue;
    if (meant === "PLACE") {
      const place = applied(placeForms, value, draft);
      if (place !== value) return placeFor(place, value, flags);
      continue;
    }
    const [flag = "", argument = ""] = meant.split(" ");
    if (flag.startsWith("--") && !Object.hasOwn(flags, flag.slice(2))) continue;
    const given = flag !== "--for" || /^\d/.test(value) ? value : "30s";
    if (meant.endsWith("VALUE") && given === "") continue;
    const { background, inBackground, quiet } = draft.system;
    const isForShell = meant === "BACKGROUND" || meant === "QUIET";
    if (isForShell) draft.tail.push(meant === "QUIET" ? quiet : background);
    draft.whys.push(
      flag.startsWith("--")
        ? `the flag is ${flag} here`
        : meant === "BACKGROUND"
        ? inBackground
        : "it needs no flag here",
    );
    if (flag === "--host" && value.startsWith(":")) {
      return argument.includes(":") ? `[${argument}]${value}` : argument + value;
    }
    const typed = isForShell ? "" : meant.replace("VALUE", given);
    const isTaken = !names.includes(name) || typed.endsWith(value);
    return isTaken ? typed : `${typed} ${value}`;
  }
  return undefined;
}

/** A place as the command takes it: with its flags, or as a word. */
function placeFor(place: string, typed: string, flags: Flags): string {
  if (Object.hasOwn(flags, "listen")) return `--listen ${typed.replace(/^:/, "")}`;
  return place.replaceAll(
    /--(host|port) /g,
    (flag, name) => Object.hasOwn(flags, name) ? flag : "",
  );
}
