import type { Crossing } from "./rung.ts";

/** How what crosses is coloured: bytes as they should be, what ends or alters, what goes wrong. */
export type Tone = "data" | "end" | "bad" | "quiet";

/** The same in a picture and on the page. */
export function toneOf({ what, faults = [], lost = false }: Crossing): Tone {
  if (what === "silence") return "quiet";
  if (what === "reset" || what === "refused" || lost) return "bad";
  return what === "data" && faults.length === 0 ? "data" : "end";
}
