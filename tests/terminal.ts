import { netdemoCommand, Process, python } from "./harness.ts";

const script = `${import.meta.dirname}/terminal.py`;

/** Runs netdemo at a terminal, types the lines and the end of file; gives what the screen showed. */
export async function terminal(args: readonly string[], lines: readonly string[]): Promise<string> {
  const typed = [script, "Enter Command ", JSON.stringify(lines)];
  await using process = new Process([python ?? "", ...typed, ...netdemoCommand, ...args]);
  return (await process.ended()).stdout;
}
