import type { Crossing } from "./rung.ts";

/** How a crossing is coloured: intact bytes, an end or alteration, a failure, silence. */
export type Tone = "data" | "end" | "bad" | "quiet";

/** Returns the tone of a crossing, in a picture and on the page alike. */
export function toneOf({ what, faults = [], lost = false }: Crossing): Tone {
  if (what === "silence") return "quiet";
  if (what === "reset" || what === "refused" || lost) return "bad";
  return what === "data" && faults.length === 0 ? "data" : "end";
}
