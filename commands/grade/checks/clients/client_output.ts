import type { Run } from "../../clients/client_under_test.ts";
import { shown } from "../../evidence.ts";

/** `it printed: ...`, the last line of what a client printed. */
export function printedBy(run: Run): string {
  const line = lastLine(run.stdout);
  return line === "" ? "it printed nothing on stdout" : `it printed: ${shown(line)}`;
}

export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
