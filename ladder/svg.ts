import { escape } from "@std/html";
import { quoteBytes, wrap } from "../text/width.ts";
import { visible } from "../text/visible.ts";
import { callText, labelOf, namesOf } from "./draw.ts";
import { explainOnce } from "./explain.ts";
import type { Crossing, Rung, SideNames } from "./rung.ts";
import { toneOf } from "./tone.ts";

/** Everything in a drawing but its rungs. */
export interface SvgDrawing {
  readonly title: string;
  /** @default {the names in the events} */
  readonly names?: SideNames;
  /** Whether each rung is explained below it. */
  readonly explain: boolean;
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
/** Explanations fit between the rails. */
const NOTE_COLUMNS = 57;

/**
 * An embedded stylesheet, so that a file looks the same on a slide, in a README and alone:
 * light, or dark if the reader prefers it.
 */
const STYLE = `
svg { --paper: #ffffff; --ink: #1c2330; --quiet: #667085; --line: #d5dae3; --client: #0a6e8a;
  --server: #8a3fa0; --data: #18794e; --end: #9a6700; --bad: #c4232b; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #11151d; --ink: #e8ecf3; --quiet: #98a2b3; --line: #333b49; --client: #5cc8e6;
    --server: #d490e8; --data: #5fd39b; --end: #e9b44c; --bad: #ff7b7b; }
}
.paper { fill: var(--paper); }
text { font: 14px ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: var(--ink); white-space: pre; }
.title { font-size: 18px; font-weight: 600; }
.name { font-weight: 600; }
.client { fill: var(--client); } .server { fill: var(--server); }
.time, .note { fill: var(--quiet); } .note { font-size: 13px; }
.rail { stroke: var(--line); stroke-width: 2; }
.arrow { stroke-width: 2; fill: none; } .head { stroke: none; }
.data { --tone: var(--data); } .end { --tone: var(--end); } .bad { --tone: var(--bad); }
.data text, .end text, .bad text { fill: var(--tone); }
.arrow { stroke: var(--tone); } .head { fill: var(--tone); }
`.trim();

/** Draws the ladder as a self-contained SVG file, in which text stays text. */
export function ladderSvg(rungs: readonly Rung[], drawing: SvgDrawing): string {
  const { title, names = namesOf(rungs), explain, results } = drawing;
  const explained = explainOnce();
  const parts: string[] = [];
  let y = 92;
  for (const rung of rungs) {
    y += ROW;
    parts.push(drawRung(rung, y));
    const explanation = explain ? explained(rung) : undefined;
    for (const line of explanation === undefined ? [] : wrap(explanation, NOTE_COLUMNS)) {
      y += NOTE_ROW;
      parts.push(text(line, { x: CLIENT_X + 16, y: y + 4, class: "note" }));
    }
  }
  const foot = y + 28;
  const lines = results.map((line, index) =>
    text(line, { x: EDGE, y: foot + 24 + index * 24, class: "client" })
  );
  const height = foot + 20 + results.length * 24 + (results.length > 0 ? 10 : 0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="10"/>
${text(title, { x: EDGE, y: 44, class: "title" })}
${nameText(names.client, CLIENT_X, "client")}
${nameText(names.server, SERVER_X, "server")}
<path class="rail" d="M${CLIENT_X} 104V${foot}M${SERVER_X} 104V${foot}"/>
${[...parts, ...lines].join("\n")}
</svg>
`;
}

function nameText(name: string, x: number, side: "client" | "server"): string {
  return text(name, { x, y: 88, class: `name ${side}`, anchor: "middle" });
}

function drawRung({ time, client, server, crossing }: Rung, y: number): string {
  const left = client.map(callText).join(" ");
  const right = server.map(callText).join(" ");
  const base = y + 5;
  // A call without an arrow has room only on its own side of the rail.
  return [
    left === "" ? "" : text(left, { x: CLIENT_X - 16, y: base, class: "client", anchor: "end" }),
    right === "" ? "" : rightText(right, base, crossing),
    crossing === undefined ? "" : arrow(crossing, y),
    text(`${time.toFixed(1)} ms`, { x: TIME_X, y: base, class: "time", anchor: "end" }),
  ].filter(Boolean).join("\n");
}

/** Several calls in one rung would overlap the time, so they go to the left of the rail. */
function rightText(calls: string, y: number, crossing: Crossing | undefined): string {
  const room = TIME_X - SERVER_X - 100;
  return crossing === undefined && calls.length * CHARACTER > room
    ? text(calls, { x: SERVER_X - 16, y, class: "server", anchor: "end" })
    : text(calls, { x: SERVER_X + 16, y, class: "server" });
}

function arrow(crossing: Crossing, y: number): string {
  const { from, what, data, faults = [], lost = false } = crossing;
  if (what === "silence") {
    const x = (CLIENT_X + SERVER_X) / 2;
    return text(`· · ·  ${labelOf(crossing)}  · · ·`, {
      x,
      y: y + 5,
      class: "time",
      anchor: "middle",
    });
  }
  const tone = toneOf(crossing);
  const room = Math.floor((SERVER_X - CLIENT_X - 48) / CHARACTER);
  const fault = faults.length === 0 ? "" : `  [${faults.join(" ")}]`;
  const label = (data === undefined ? labelOf(crossing) : quoteBytes(data, room - fault.length)) +
    fault;
  const [start, end] = [CLIENT_X + 8, SERVER_X - 8];
  const middle = (start + end) / 2;
  const stop = lost ? (from === "client" ? end - 60 : start + 60) : from === "client" ? end : start;
  const begin = from === "server" ? end : start;
  const heads = from === "between"
    ? head(start, y, -1) + head(end, y, 1)
    : lost
    ? cross(stop, y)
    : head(stop, y, from === "client" ? 1 : -1);
  const path = from === "between" ? `M${start} ${y}H${end}` : `M${begin} ${y}H${stop}`;
  return `<g class="${tone}"><path class="arrow" d="${path}"/>${heads}` +
    `${text(label, { x: middle, y: y - 8, class: "label", anchor: "middle" })}</g>`;
}

/** The point of an arrow to the right (1) or the left (-1). */
function head(x: number, y: number, direction: 1 | -1): string {
  const back = x - direction * ARROW_HEAD;
  return `<path class="head" d="M${x} ${y}L${back} ${y - 5}V${y + 5}Z"/>`;
}

function cross(x: number, y: number): string {
  return `<path class="arrow" d="M${x - 6} ${y - 6}l12 12m0 -12l-12 12"/>`;
}

function text(
  content: string,
  place: {
    readonly x: number;
    readonly y: number;
    readonly class: string;
    readonly anchor?: string;
  },
): string {
  const anchor = place.anchor === undefined ? "" : ` text-anchor="${place.anchor}"`;
  return `<text class="${place.class}" x="${place.x}" y="${place.y}"${anchor}>${
    escaped(content)
  }</text>`;
}

/** Escapes text for XML; control characters, which XML can't contain, are shown escaped. */
function escaped(content: string): string {
  return escape(visible(content).replaceAll(/[\ufffe\uffff]/g, "\ufffd"));
}
