/** The flags of grade, and what a command line asks for. */
import { suggest } from "../../cli/arguments/suggest.ts";
import { durationFlag, type FlagValues, readName, readNumber } from "../../cli/arguments/flags.ts";
import { misuse } from "../../cli/errors/failure.ts";
import { reportFlags } from "../../cli/reports/open_report.ts";
import { type Level, levels, type Subject } from "./subjects.ts";

const DEFAULT_TIMEOUT_MS = 2_000;
const DEFAULT_MAX_TIME_MS = 60_000;

export const flags = {
  level: {
    value: "LEVEL",
    about: "how strict to be: lesson, robust, stream",
    default: "lesson" as const,
    read: readLevel,
  },
  talk: { value: "FILE", about: "the conversation that the program holds", read: readName },
  udp: { short: "u", about: "the program uses UDP; a conversation file says so itself" },
  lines: { about: "both sides use line ends; skips the check no-newline" },
  only: {
    value: "ID,...",
    about: "only these checks, and those they need",
    read: readName,
  },
  skip: { value: "ID,...", about: "not these checks", read: readName },
  list: { about: "list the checks and start nothing" },
  explain: {
    value: "ID",
    about: "explain a check: how it works, why, how to fix it",
    read: readName,
  },
  port: {
    short: "p",
    value: "N",
    about: "the fixed port that the program uses",
    read: readNumber(1, 65_535),
  },
  input: {
    value: "TEXT",
    about: "what the program gets on stdin; \\n ends a line, {port} is its port",
    read: readName,
  },
  "run-as": { value: "USER", about: "run the program as this user; needs root", read: readName },
  timeout: durationFlag("longest wait for each answer", DEFAULT_TIMEOUT_MS),
  "max-time": durationFlag("longest time for everything", DEFAULT_MAX_TIME_MS),
  seed: {
    value: "N",
    about: "repeat the questions of an earlier run",
    read: readNumber(0, 2 ** 31 - 1),
  },
  ...reportFlags,
  gradescope: {
    value: "PATH",
    about: "write results.json for Gradescope to this file, too",
    read: readName,
  },
  class: {
    value: "FOLDER",
    about: "grade each folder or file in it; {dir} or {file} in COMMAND stands for it",
    read: readName,
  },
  jobs: {
    value: "N",
    about: "how many of a class to grade at once",
    default: 1,
    read: readNumber(1, 64),
  },
  csv: { value: "PATH", about: "also write the table of a class to this file", read: readName },
  html: {
    value: "PATH",
    about: "also write a page about a class, with the report of each, to this file",
    read: readName,
  },
  resume: { about: "go on with a class that was interrupted, or has new submissions" },
  "i-may-break-it": { about: "allow robust and stream for a server on another host" },
};

/** What the command line asks for. */
export interface GradeOptions extends Omit<FlagValues<typeof flags>, "only" | "skip"> {
  readonly subject: Subject;
  readonly target: string | undefined;
  readonly command: readonly string[] | undefined;
  /** Ids of the checks to run; those that they need run, too. @default all */
  readonly only: ReadonlySet<string> | undefined;
  /** Ids of the checks not to run. @default none */
  readonly skip: ReadonlySet<string> | undefined;
}

function readLevel(text: string, flag: string): Level {
  const level = levels.find((level) => level === text);
  if (level !== undefined) return level;
  throw misuse(
    `${flag} must be ${levels.slice(0, -1).join(", ")} or ${levels.at(-1)}: received '${text}'`,
    {
      hint: suggest(text, levels),
    },
  );
}
