import { shellWord, wordsOfLine } from "../../text/shell.ts";
import { habits } from "./habit_table.ts";

/** Longer lines are not typed, but may come from a shell that expanded a `*`. */
const LONGEST_LINE = 10_000;

/** The line to type in place of one that was wrong. */
export interface MeantLine {
  readonly why: string;
  /** The words after `netdemo`, as typed in a shell. */
  readonly line: string;
  /** Its words, without any that are only for the shell. */
  readonly args: readonly string[];
}

/** Returns what a command line was meant to be, if it follows a habit of another tool. */
export function meantBy(args: readonly string[]): MeantLine | undefined {
  let line = args.map(shellWord).join(" ");
  if (line.length > LONGEST_LINE) return undefined;
  let why: string | undefined;
  for (const habit of habits) {
    // The two forms of replace() can't be distinguished by its types.
    const meant = line.replace(habit.typed, habit.meant as string);
    if (meant === line) continue;
    why ??= habit.why;
    line = meant;
  }
  if (why === undefined) return undefined;
  return { why, line, args: wordsOfLine(line.replace(/ (?:&|> \S+)$/, "")) };
}
