import { parseArgs as untypedParseArgs } from "@std/cli/parse-args";
import { canonicalAddress } from "../../protocol/addresses.ts";
import { formatDuration, MAX_DURATION_MS, parseDuration } from "../../protocol/duration.ts";
import { Failure } from "../errors/failure.ts";
import { suggest } from "./suggest.ts";

/** `parseArgs` as it is used here, since the package has no types. */
const parseArgs = untypedParseArgs as unknown as (
  args: readonly string[],
  options: { readonly string: readonly string[]; readonly boolean: readonly string[] },
) => Record<string, unknown>;

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

/** A flag without a value. */
export interface Switch {
  readonly value?: undefined;
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
    : boolean;
};

/** A parsed command line. */
export interface CommandLine<F extends Flags> {
  readonly flags: FlagValues<F>;
  /** The flags that were given, by their names. */
  readonly given: ReadonlySet<string>;
  /** The arguments between and after the flags. */
  readonly words: readonly string[];
  /** How many of the words came before `--`; those after it are always text. */
  readonly beforeDashes: number;
}

/**
 * Parses a command line by the command's flags.
 *
 * Stricter than `parseArgs`: an unknown flag, a missing value, a value for a flag
 * that takes none, and a repeated flag are usage errors; `-5`, `-` and everything
 * after `--` are words, and words stay text (`007`).
 *
 * @throws {Failure} of kind `USAGE`.
 */
export function parseCommandLine<F extends Flags>(
  args: readonly string[],
  flags: F,
): CommandLine<F> {
  const { flagArgs, repeated, words, beforeDashes } = separate(args, flags);
  const names = Object.keys(flags);
  const parsed = parseArgs(flagArgs, {
    string: names.filter((name) => flags[name]?.value !== undefined),
    boolean: names.filter((name) => flags[name]?.value === undefined),
  });
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.value !== undefined && flag.repeats) {
      const list = repeated.get(name) ?? [];
      if (list.length > 0) given.add(name);
      values[name] = list.map((text) => flag.read(text, `--${name}`));
      continue;
    }
    const value = parsed[name];
    if (typeof value === "string" || value === true) given.add(name);
    if (flag.value === undefined) values[name] = value;
    else values[name] = typeof value === "string" ? flag.read(value, `--${name}`) : flag.default;
  }
  return { flags: values as FlagValues<F>, given, words, beforeDashes };
}

/** A command line's words, and its flags as `--name=value`. */
interface Separated {
  readonly flagArgs: readonly string[];
  /** Values of flags that may be given several times. */
  readonly repeated: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
  /** How many of the words came before `--`. */
  readonly beforeDashes: number;
}

/** Separates flags with their values (as `--name=value`) from words, and rejects anything else. */
function separate(
  args: readonly string[],
  flags: Flags,
): Separated {
  const repeated = new Map<string, string[]>();
  const given = new Map<string, string>();
  const words: string[] = [];
  const end = args.indexOf("--");
  const beforeDashes = end === -1 ? args : args.slice(0, end);
  for (let index = 0; index < beforeDashes.length; index++) {
    const arg = beforeDashes[index] ?? "";
    if (!isFlag(arg)) {
      words.push(arg);
      continue;
    }
    const { name, value } = nameOf(arg, flags);
    const flag = flags[name];
    if (flag === undefined) throw unknownFlag(arg, flags);
    if (given.has(name)) throw new Failure("USAGE", `--${name} is given twice`);
    if (flag.value === undefined) {
      if (value !== undefined) {
        throw new Failure("USAGE", `--${name} takes no value: received '${value}'`);
      }
      given.set(name, `--${name}`);
    } else {
      const next = value ?? beforeDashes[++index];
      if (next === undefined || (value === undefined && next.startsWith("--"))) {
        throw new Failure("USAGE", `--${name} needs a value: --${name} ${flag.value}`);
      }
      if (flag.repeats) {
        repeated.set(name, [...repeated.get(name) ?? [], next]);
        continue;
      }
      // parseArgs reads `--name=` as a flag of that very name, but `--name` as an empty value.
      given.set(name, next === "" ? `--${name}` : `--${name}=${next}`);
    }
  }
  const text = end === -1 ? [] : args.slice(end + 1);
  return {
    flagArgs: [...given.values()],
    repeated,
    words: [...words, ...text],
    beforeDashes: words.length,
  };
}

/** Splits `--port=40` or `-p40` into the flag's long name and the value, if it has one. */
function nameOf(
  arg: string,
  flags: Flags,
): { readonly name: string; readonly value?: string | undefined } {
  const [, long, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
  if (long !== undefined) return { name: Object.hasOwn(flags, long) ? long : "", value };
  const [, letter, attached] = /^-([A-Za-z])(?:=?(.+))?$/s.exec(arg) ?? [];
  const found = Object.entries(flags).find(([, { short }]) => short === letter);
  const [name = "", flag] = letter === undefined || found === undefined ? [] : found;
  const isCluster = flag?.value === undefined && attached !== undefined;
  return isCluster ? { name: "" } : { name, value: attached };
}

/** `--port` and `-x` are flags; `-`, `-5` and `-_` are not. */
function isFlag(arg: string): boolean {
  return /^--|^-[A-Za-z]/.test(arg);
}

function unknownFlag(arg: string, flags: Flags): Failure {
  const name = arg.split("=", 1)[0] ?? arg;
  const hint = suggest(name, [...Object.keys(flags), "help"].map((known) => `--${known}`));
  return new Failure("USAGE", `unknown flag ${name}`, { hint });
}

/** Reads a text that must not be empty, such as a host name or a path. */
export function readName(text: string, flag: string): string {
  if (text !== "") return text;
  throw new Failure("USAGE", `${flag} must not be empty`);
}

/** Reads a host name or an IP address, without a port. */
export function readHost(text: string, flag: string): string {
  const [, host = "", port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(text) ?? [];
  if (port !== undefined) {
    const hint = `give the port separately: ${flag} ${host} --port ${port}`;
    throw new Failure("USAGE", `${flag} takes no port: received '${text}'`, { hint });
  }
  if (text.includes(":") && canonicalAddress(text) === undefined) {
    const hint = "an IPv6 address looks like ::1, 2001:db8::7 or fe80::1%eth0";
    throw new Failure("USAGE", `${flag} is not an IP address: received '${text}'`, { hint });
  }
  return readName(text, flag);
}

/** Reads a text that fits in a reply. */
export function readLine(text: string, flag: string): string {
  if (text !== "" && !/[\r\n]/.test(text)) return text;
  throw new Failure("USAGE", `${flag} must be one line that is not empty`);
}

/** Reads a whole number in a range, in decimal digits only: not `0x28`, `4e1` or ` 40`. */
export function readNumber(least: number, most: number): (text: string, flag: string) => number {
  return (text, flag) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new Failure(
      "USAGE",
      `${flag} must be a whole number from ${least} to ${most}: received '${text}'`,
    );
  };
}

/** Defines a flag whose value is a duration in milliseconds. */
export function durationFlag<Default extends number | undefined>(
  about: string,
  options: { readonly least: 0 | 1; readonly default: Default },
) {
  return {
    value: "D",
    about,
    default: options.default,
    show: formatDuration,
    read: readDuration(options.least),
  };
}

/** Reads a duration as milliseconds: `250ms`, `5s`, `2m`, `1h`; a bare number is seconds. */
export function readDuration(least: number): (text: string, flag: string) => number {
  return (text, flag) => {
    const milliseconds = parseDuration(text);
    if (milliseconds !== undefined && milliseconds >= least) return milliseconds;
    const days = Math.floor(MAX_DURATION_MS / 86_400_000);
    const range = `${least === 0 ? "from 0" : "over 0"} to ${days} days`;
    throw new Failure(
      "USAGE",
      `${flag} must be a duration ${range}, such as 250ms, 5s or 2m: received '${text}'`,
    );
  };
}
