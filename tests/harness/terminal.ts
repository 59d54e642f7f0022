import { netdemoCommand, Process, python } from "./mod.ts";

const script = `${import.meta.dirname}/terminal.py`;

/** Runs netdemo in a terminal and types the lines and end of file; returns what it shows. */
export async function terminal(
  args: readonly string[],
  lines: readonly string[],
  options: { readonly prompt?: string; readonly env?: Record<string, string> } = {},
): Promise<string> {
  const { prompt = "Enter Command ", env = {} } = options;
  const typed = [script, prompt, JSON.stringify(lines)];
  const command = [python(), ...typed, ...netdemoCommand, ...args];
  await using process = new Process(command, { env });
  return (await process.ended()).stdout;
}
