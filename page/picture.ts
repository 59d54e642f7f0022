import { ladderSvg } from "../ladder/svg.ts";
import type { Rung } from "../ladder/rung.ts";
import { gapText, skippedText, stateText } from "./browser/elements.js";
import type { Ladder } from "./log.ts";

/** Rungs in a picture: more would fit on no slide. */
const MAX_RUNGS = 100;

/**
 * Draws a connection's ladder as an SVG file, for a slide.
 *
 * @param program The program being watched: `calc-server`.
 */
export function pictureOf({ connection, rungs }: Ladder, program: string): string {
  const drawn = rungs.slice(0, MAX_RUNGS);
  const notes = new Map<Rung, string>();
  drawn.forEach(({ rung, number }, index) => {
    const next = rungs[index + 1]?.skipped ?? 0;
    if (number === connection.gap?.after) notes.set(rung, gapText(connection.gap));
    else if (next > 0) notes.set(rung, skippedText(next));
  });
  const left = rungs.length - drawn.length;
  return ladderSvg(drawn.map(({ rung }) => rung), {
    title: `${program}, connection ${connection.id}: ${stateText(connection)}`,
    names: connection,
    note: (rung) => notes.get(rung),
    results: left === 0 ? [] : [`The next ${left} are not drawn.`],
  });
}
