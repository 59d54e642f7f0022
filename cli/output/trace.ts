import type { Trace } from "../../sockets/socket_events.ts";
import type { Output } from "./output.ts";

/** Opens the output of `--trace`. The code that draws it is loaded only here. */
export async function openTrace(stderr: Output): Promise<Trace> {
  const { traceLines } = await import("./trace_lines.ts");
  const { displayOf } = await import("./terminal.ts");
  const display = displayOf(Deno.stderr);
  // A program reads each event from one line, however wide the terminal is.
  const columns = Deno.stderr.isTerminal() ? display.columns : Math.max(80, display.columns);
  return traceLines(stderr, { ...display, columns });
}
