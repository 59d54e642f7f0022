import { shellWord, wordsOfLine } from "../text/shell.ts";
import { habits } from "./habit_table.ts";

/** Nobody types a longer line; a shell that puts in the names of all files may. */
const LONGEST_LINE = 10_000;

/** The line to type in place of one that was wrong. */
export interface MeantLine {
  readonly why: string;
  /** What follows `netdemo`, as it is typed to a shell. */
  readonly line: string;
  /** Its words, up to what is for the shell alone. */
  readonly args: readonly string[];
}

/** What was meant by a command line, if it shows a habit of another tool. */
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
