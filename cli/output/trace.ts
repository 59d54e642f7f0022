import type { Trace } from "../../sockets/socket_events.ts";
import type { Output } from "./output.ts";

/** Opens the output of `--trace`. The code that draws it is loaded only here. */
export async function openTrace(stderr: Output): Promise<Trace> {
  const { traceLines } = await import("./trace_lines.ts");
  const { displayOf } = await import("./terminal.ts");
  return traceLines(stderr, displayOf(Deno.stderr));
}
