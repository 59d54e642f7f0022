import { formatDuration, MAX_DURATION_MS, parseDuration } from "../../protocol/duration.ts";
import { type Failure, misuse } from "../errors/failure.ts";
import { problemOfHost } from "./host.ts";
import { suggest } from "./suggest.ts";

/** A flag that takes a value. */
export interface ValueFlag<T> {
  /** What the help calls the value, in capitals. */
  readonly value: string;
  /** Its one letter, as in `-p 4040`. */
  readonly short?: string;
  readonly about: string;
  /** The value if the flag is not given. */
  readonly default?: T;
  /** Whether it may be given several times; its value is then a list. @default {false} */
  readonly repeats?: true;
  /** Formats a value for the help. @default {String} */
  show?(value: T): string;
  /** Reads the value. @throws {Failure} of kind `USAGE` that names the flag and what is allowed. */
  read(text: string, flag: string): T;
}

/** A flag without a value, or with one of a few. */
export interface Switch {
  readonly value?: undefined;
  /** The values that it may have; without one it is `true`. */
  readonly choices?: readonly string[];
  readonly short?: string;
  readonly about: string;
}

/** The flags of a command by their names, without the dashes. */
export type Flags = Readonly<Record<string, ValueFlag<unknown> | Switch>>;

/** The values of the flags: one that was not given has its default, or is `undefined`. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends { read(text: string, flag: string): infer T }
    ? F[Name] extends { readonly repeats: true } ? readonly T[]
    : F[Name] extends { readonly default: string | number } ? T
    : T | undefined
    : F[Name] extends { readonly choices: readonly (infer Choice)[] } ? boolean | Choice
    : boolean;
};

/** A word of a command line, or a flag with its value, which is `true` for a switch, as typed. */
export type Argument =
  | { readonly word: string; readonly flag?: undefined; readonly typed?: undefined }
  | { readonly flag: string; readonly value: unknown; readonly typed: readonly string[] };

/** A parsed command line. */
export interface CommandLine<F extends Flags> {
  readonly flags: FlagValues<F>;
  /** The flags that were given, by their names. */
  readonly given: ReadonlySet<string>;
  /** The arguments between and after the flags. */
  readonly words: readonly string[];
  /** How many of the words came before `--`; those after it are always text. */
  readonly beforeDashes: number;
  /** The flags and words in the order in which they were given. */
  readonly order: readonly Argument[];
}

/**
 * Parses a command line by the command's flags.
 *
 * An unknown flag, a missing value, a value for a flag that takes none, and a repeated
 * flag are usage errors; `-5`, `-` and everything after `--` are words, and words stay
 * text (`007`). The std package's `parseArgs` reads `-5` as a flag and forgets the order.
 *
 * @throws {Failure} of kind `USAGE`.
 */
export function parseCommandLine<F extends Flags>(
  args: readonly string[],
  flags: F,
): CommandLine<F> {
  const end = args.indexOf("--");
  const text = end === -1 ? [] : args.slice(end + 1);
  const own = argumentsOf(end === -1 ? args : args.slice(0, end), flags);
  const order: readonly Argument[] = [...own, ...text.map((word) => ({ word }))];
  const words = order.flatMap((argument) => argument.flag === undefined ? [argument.word] : []);
  const values: Record<string, unknown> = {};
  const given = new Set(own.flatMap(({ flag }) => flag === undefined ? [] : [flag]));
  for (const [name, flag] of Object.entries(flags)) {
    const all = own.flatMap((argument) => argument.flag === name ? [argument.value] : []);
    if (all.length > 1 && !isRepeatable(flag)) throw misuse(`--${name} is given twice`);
    values[name] = isRepeatable(flag) ? all : all.length > 0 ? all[0] : defaultOf(flag);
  }
  return {
    flags: values as FlagValues<F>,
    given,
    words,
    beforeDashes: words.length - text.length,
    order,
  };
}

/** The words and flags of a command line without `--`; rejects what is neither. */
function argumentsOf(args: readonly string[], flags: Flags): readonly Argument[] {
  const found: Argument[] = [];
  for (let index = 0; index < args.length;) {
    const argument = argumentAt(index, args, flags);
    found.push(argument);
    index += argument.typed?.length ?? 1;
  }
  return found;
}

function argumentAt(index: number, args: readonly string[], flags: Flags): Argument {
  const [arg = "", next] = args.slice(index, index + 2);
  if (!isFlag(arg, flags)) return { word: arg };
  const { name, value } = nameOf(arg, flags);
  const flag = flags[name];
  if (flag === undefined) throw unknownFlag(arg, flags);
  const choices = flag.value === undefined ? flag.choices ?? [] : undefined;
  const takesNext = value === undefined && (choices?.includes(next ?? "") ?? true);
  const text = takesNext ? next : value;
  const typed = args.slice(index, takesNext ? index + 2 : index + 1);
  if (flag.value === undefined) {
    if (text !== undefined && !choices?.includes(text)) {
      const takes = choices?.join(" or ") || "no value";
      throw misuse(`--${name} takes ${takes}: received '${text}'`);
    }
    return { flag: name, value: text ?? true, typed };
  }
  if (text === undefined || (takesNext && text.startsWith("--"))) {
    throw misuse(`--${name} needs a value: --${name} ${flag.value}`);
  }
  return { flag: name, value: flag.read(text, `--${name}`), typed };
}

function isRepeatable(flag: ValueFlag<unknown> | Switch): boolean {
  return flag.value !== undefined && flag.repeats === true;
}

/** The value of a flag that was not given. */
function defaultOf(flag: ValueFlag<unknown> | Switch): unknown {
  return flag.value === undefined ? false : flag.default;
}

/** Splits `--port=40` or `-p40` into the flag's long name and the value, if it has one. */
function nameOf(
  arg: string,
  flags: Flags,
): { readonly name: string; readonly value?: string | undefined } {
  const [, long, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
  if (long !== undefined) return { name: Object.hasOwn(flags, long) ? long : "", value };
  // Some tools take long flags with one dash: to read -port as -p ort would hide the mistake.
  if (Object.hasOwn(flags, arg.slice(1).split("=", 1)[0] ?? "")) return { name: "" };
  const [, letter, attached] = /^-([A-Za-z\d])(?:=?(.+))?$/s.exec(arg) ?? [];
  const found = Object.entries(flags).find(([, { short }]) => short === letter);
  const [name = "", flag] = letter === undefined || found === undefined ? [] : found;
  const isCluster = flag?.value === undefined && attached !== undefined;
  return isCluster ? { name: "" } : { name, value: attached };
}

/** `--port` and `-x` are flags; `-`, `-5` and `-_` are not, unless the command has such a flag. */
function isFlag(arg: string, flags: Flags): boolean {
  return /^--|^-[A-Za-z]/.test(arg) ||
    Object.values(flags).some(({ short }) => short !== undefined && arg === `-${short}`);
}

function unknownFlag(arg: string, flags: Flags): Failure {
  const name = arg.split("=", 1)[0] ?? arg;
  const hint = suggest(name, [...Object.keys(flags), "help"].map((known) => `--${known}`));
  return misuse(`unknown flag ${name}`, { hint });
}

/** Reads a text that must not be empty, such as a host name or a path. */
export function readName(text: string, flag: string): string {
  if (text !== "") return text;
  throw misuse(`${flag} must not be empty`);
}

/** Reads a host name or an IP address, without a port. */
export function readHost(text: string, flag: string): string {
  const [, host = "", port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(text) ?? [];
  if (port !== undefined) {
    const hint = `give the port separately: ${flag} ${host} --port ${port}`;
    throw misuse(`${flag} takes no port: received '${text}'`, { hint });
  }
  const [, named] = /^\w+:\/\/(?:[^/]*@)?(\[.*\]|[^:/]*)/.exec(text) ?? [];
  if (named !== undefined) {
    const hint = `give the host alone: ${flag} ${named}`;
    throw misuse(`${flag} takes no URL: received '${text}'`, { hint });
  }
  const problem = problemOfHost(text);
  if (problem !== undefined) throw misuse(`${flag}: ${problem.why}`, { hint: problem.hint });
  return readName(text, flag);
}

/** Reads a text that fits in a reply. */
export function readLine(text: string, flag: string): string {
  if (text !== "" && !/[\r\n]/.test(text)) return text;
  throw misuse(`${flag} must be one line that is not empty`);
}

/** Reads a whole number in a range, in decimal digits only: not `0x28`, `4e1` or ` 40`. */
export function readNumber(least: number, most: number): (text: string, flag: string) => number {
  return (text, flag) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw misuse(`${flag} must be a whole number from ${least} to ${most}: received '${text}'`);
  };
}

/**
 * Defines a flag whose value is a duration in milliseconds.
 *
 * @param defaultMs `undefined` for none.
 * @param options Whether it may be 0. @default {it may not}
 */
export function durationFlag<Default extends number | undefined>(
  about: string,
  defaultMs: Default,
  { least = 1 }: { readonly least?: 0 | 1 } = {},
) {
  return { value: "D", about, default: defaultMs, show: formatDuration, read: readDuration(least) };
}

/** Reads a duration as milliseconds: `250ms`, `5s`, `2m`, `1h`; a bare number is seconds. */
export function readDuration(least: number): (text: string, flag: string) => number {
  return (text, flag) => {
    const milliseconds = parseDuration(text);
    if (milliseconds !== undefined && milliseconds >= least) return milliseconds;
    const days = Math.floor(MAX_DURATION_MS / 86_400_000);
    const range = `${least === 0 ? "from 0" : "over 0"} to ${days} days`;
    throw misuse(
      `${flag} must be a duration ${range}, such as 250ms, 5s, 2m or 1h: received '${text}'`,
    );
  };
}
