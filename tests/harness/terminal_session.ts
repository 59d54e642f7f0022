import { Process, python } from "./mod.ts";

const script = `${import.meta.dirname}/terminal_session.py`;

/** A text to wait for on the screen, or to type. */
export type Step = readonly ["see" | "type", string];

/** Runs a command in a terminal; returns what it shows, with the exit code as the last line. */
export async function session(
  command: readonly string[],
  steps: readonly Step[],
  columns = 80,
): Promise<string> {
  const args = [python(), script, String(columns), JSON.stringify(steps), ...command];
  await using process = new Process(args, { env: { TERM: "xterm", LC_ALL: "C.UTF-8" } });
  return (await process.ended()).stdout;
}
