import { escape } from "@std/html";
import { visible } from "../text/visible.ts";
import { wrap } from "../text/width.ts";
import { callsOf, clientWords, labelOf, namesOf } from "./labels.ts";
import type { Crossing, Rung, SideNames } from "./rung.ts";
import { type Tone, toneOf } from "./tone.ts";

/** Colours on light paper, or on dark. */
export type SvgTheme = "light" | "dark";

/** Everything in a drawing but its rungs. */
export interface SvgDrawing {
  readonly title: string;
  /** @default {the names in the events} */
  readonly names?: SideNames;
  /** @default {"light"} */
  readonly theme?: SvgTheme | undefined;
  /** Returns what is written below a rung. @default {nothing} */
  readonly note?: ((rung: Rung) => string | undefined) | undefined;
  /** Lines below the ladder. */
  readonly results: readonly string[];
}

/** Measures in the drawing's own units; a terminal's character is 8.4 wide at 14 high. */
const WIDTH = 960;
const EDGE = 40;
const CLIENT_X = 220;
const SERVER_X = 700;
const TIME_X = WIDTH - EDGE;
const ROW = 46;
const NOTE_ROW = 20;
const CHARACTER = 8.4;
const ARROW_HEAD = 9;
/** How much shorter the arrow of something lost is. */
const LOST = 60;
/** Explanations fit between the rails. */
const NOTE_COLUMNS = 57;

/** The first that is installed, on Linux, macOS and Windows; `monospace` is any. */
const FONTS = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace";

interface Palette extends Readonly<Record<Tone, string>> {
  readonly paper: string;
  readonly ink: string;
  readonly line: string;
  readonly client: string;
  readonly server: string;
}

const palettes: Readonly<Record<SvgTheme, Palette>> = {
  light: {
    ...{ paper: "#ffffff", ink: "#1c2330", quiet: "#667085", line: "#d5dae3" },
    ...{ client: "#0a6e8a", server: "#8a3fa0" },
    ...{ data: "#18794e", end: "#9a6700", bad: "#c4232b" },
  },
  dark: {
    ...{ paper: "#11151d", ink: "#e8ecf3", quiet: "#98a2b3", line: "#333b49" },
    ...{ client: "#5cc8e6", server: "#d490e8" },
    ...{ data: "#5fd39b", end: "#e9b44c", bad: "#ff7b7b" },
  },
};

/**
 * Draws the ladder as a self-contained SVG file, in which text stays text. Colours are attributes:
 * the programs that slides are made with know neither variables nor media queries.
 */
export function ladderSvg(rungs: readonly Rung[], drawing: SvgDrawing): string {
  const { title, names = namesOf(rungs), theme = "light", note, results } = drawing;
  const colors = palettes[theme];
  const wordOf = clientWords(rungs);
  const parts: string[] = [];
  let y = 92;
  for (const rung of rungs) {
    y += ROW;
    const word = wordOf(rung);
    if (word !== "") parts.push(text(word, { x: EDGE, y: y + 5, fill: colors.quiet }));
    parts.push(drawRung(rung, y, colors));
    const words = note?.(rung);
    for (const line of words === undefined ? [] : wrap(words, NOTE_COLUMNS)) {
      y += NOTE_ROW;
      parts.push(text(line, { x: CLIENT_X + 16, y: y + 4, fill: colors.quiet, size: 13 }));
    }
  }
  const foot = y + 28;
  const lines = results.map((line, index) =>
    text(line, { x: EDGE, y: foot + 24 + index * 24, fill: colors.client })
  );
  const height = foot + 20 + results.length * 24 + (results.length > 0 ? 10 : 0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `width="${WIDTH}" height="${height}" font-family="${FONTS}" font-size="14" ` +
    `xml:space="preserve" role="img" aria-labelledby="title">
<title id="title">${escaped(title)}</title>
<rect fill="${colors.paper}" width="${WIDTH}" height="${height}" rx="10"/>
${text(title, { x: EDGE, y: 44, fill: colors.ink, size: 18, isBold: true })}
${nameText(names.client, CLIENT_X, colors.client)}
${nameText(names.server, SERVER_X, colors.server)}
<path stroke="${colors.line}" stroke-width="2" d="M${CLIENT_X} 104V${foot}M${SERVER_X} 104V${foot}"/>
${[...parts, ...lines].join("\n")}
</svg>
`;
}

function nameText(name: string, x: number, fill: string): string {
  return text(name, { x, y: 88, fill, anchor: "middle", isBold: true });
}

function drawRung({ time, client, server, crossing }: Rung, y: number, colors: Palette): string {
  const left = callsOf(client);
  const right = callsOf(server);
  const base = y + 5;
  // A call without an arrow has room only on its own side of the rail.
  return [
    left === ""
      ? ""
      : text(left, { x: CLIENT_X - 16, y: base, fill: colors.client, anchor: "end" }),
    right === "" ? "" : rightText(right, base, colors.server, crossing),
    crossing === undefined ? "" : arrow(crossing, y, colors),
    text(`${time.toFixed(1)} ms`, { x: TIME_X, y: base, fill: colors.quiet, anchor: "end" }),
  ].filter(Boolean).join("\n");
}

/** Several calls in one rung would overlap the time, so they go to the left of the rail. */
function rightText(calls: string, y: number, fill: string, crossing: Crossing | undefined): string {
  const room = TIME_X - SERVER_X - 100;
  return crossing === undefined && calls.length * CHARACTER > room
    ? text(calls, { x: SERVER_X - 16, y, fill, anchor: "end" })
    : text(calls, { x: SERVER_X + 16, y, fill });
}

function arrow(crossing: Crossing, y: number, colors: Palette): string {
  const { from, what, faults = [], lost = false } = crossing;
  const color = colors[toneOf(crossing)];
  const middle = (CLIENT_X + SERVER_X) / 2;
  const room = Math.floor((SERVER_X - CLIENT_X - 48) / CHARACTER);
  if (what === "silence") {
    const dots = `· · ·  ${labelOf(crossing, room)}  · · ·`;
    return text(dots, { x: middle, y: y + 5, fill: color, anchor: "middle" });
  }
  const fault = faults.length === 0 ? "" : `  [${faults.join(" ")}]`;
  const label = labelOf(crossing, room - fault.length) + fault;
  const [start, end] = [CLIENT_X + 8, SERVER_X - 8];
  const [begin, stop, direction] = from === "server"
    ? [end, start, -1] as const
    : [start, end, 1] as const;
  const tip = lost ? stop - direction * LOST : stop;
  const heads = (from === "between" ? head(begin, y, -1) : "") +
    (lost ? cross(tip, y) : head(tip, y, direction));
  const shaft = `<path d="M${begin} ${y}H${tip}"/>`;
  return `<g fill="${color}" stroke="${color}" stroke-width="2">${shaft}${heads}</g>` +
    text(label, { x: middle, y: y - 8, fill: color, anchor: "middle" });
}

/** The point of an arrow to the right (1) or the left (-1). */
function head(x: number, y: number, direction: 1 | -1): string {
  const back = x - direction * ARROW_HEAD;
  return `<path stroke="none" d="M${x} ${y}L${back} ${y - 5}V${y + 5}Z"/>`;
}

function cross(x: number, y: number): string {
  return `<path d="M${x - 6} ${y - 6}l12 12m0 -12l-12 12"/>`;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly fill: string;
  /** @default {"start"} */
  readonly anchor?: "middle" | "end";
  /** @default {14} */
  readonly size?: number;
  readonly isBold?: boolean;
}

function text(content: string, { x, y, fill, anchor, size, isBold }: Place): string {
  const more = [
    anchor && ` text-anchor="${anchor}"`,
    size && ` font-size="${size}"`,
    isBold && ` font-weight="bold"`,
  ].filter(Boolean).join("");
  return `<text x="${x}" y="${y}" fill="${fill}"${more}>${escaped(content)}</text>`;
}

/** Escapes text for XML; control characters, which XML can't contain, are shown escaped. */
function escaped(content: string): string {
  return escape(visible(content).replaceAll(/[\ufffe\uffff]/g, "\ufffd"));
}
