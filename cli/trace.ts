import type { Trace } from "../sockets/socket_events.ts";
import type { Output } from "./output.ts";

/** What `--trace` prints to. Its drawing is loaded only here: most runs never need it. */
export async function openTrace(stderr: Output): Promise<Trace> {
  const { traceLines } = await import("./trace_lines.ts");
  const { displayOf } = await import("./terminal.ts");
  return traceLines(stderr, displayOf(Deno.stderr));
}
