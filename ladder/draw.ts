import type { SocketEvent } from "../sockets/socket_events.ts";
import { asciiOnly, cutTo, padTo, widthOf, wrap } from "../text/width.ts";
import { type Display, type Style, styled } from "../text/display.ts";
import { visible } from "../text/visible.ts";
import { explainOnce, explanationOf } from "./explain.ts";
import { callsOf, clientWords, labelOf, namesOf } from "./labels.ts";
import type { Crossing, Rung, Side, SideNames } from "./rung.ts";
import { toneOf } from "./tone.ts";

/** Columns of the parts of a rung; the arrows take what is left. */
const INDENT = 2;
const CLIENT = 13;
const SERVER = 15;
const TIME = 10;
const GAP = 1;
/** Longer arrows are hard to follow. */
const MAX_ARROW = 72;
/** A shorter arrow has no room for its label, which is then drawn below it, next to the time. */
const MIN_ARROW = 22;
/** Columns before a line below a rung. */
const BELOW = 2 * INDENT;

const toneStyles = { data: "green", end: "yellow", bad: "red", quiet: "yellow" } as const;
const sideStyles: Readonly<Record<Side, Style>> = { client: "cyan", server: "magenta" };

/** How a ladder is drawn. */
export interface Drawing {
  readonly display: Display;
  /** Whether each rung is explained below it. */
  readonly explain: boolean;
  /** Explains a rung. @default {explanationOf} */
  readonly explanation?: (rung: Rung) => string | undefined;
  /** Columns for a word before each rung, such as the number of its connection. @default {0} */
  readonly margin?: number;
}

/**
 * Draws the ladder: client left, server right, arrows for what crossed, time in
 * the margin. Nothing is explained twice, unless the drawing says otherwise.
 */
export function drawLadder(rungs: readonly Rung[], drawing: Drawing): string[] {
  const wordOf = clientWords(rungs);
  const longest = Math.max(...rungs.map((rung) => widthOf(wordOf(rung))));
  const margin = longest > 0 ? longest + GAP : drawing.margin;
  const all = { ...drawing, margin, explanation: drawing.explanation ?? explainOnce() };
  return [
    ...drawNameLines(namesOf(rungs), all),
    ...rungs.flatMap((rung) => drawRung(rung, all, wordOf(rung))),
  ];
}

/** Draws a rung, with its explanation below it. */
export function drawRung(rung: Rung, drawing: Drawing, word = ""): string[] {
  const { display, explain, explanation = explanationOf } = drawing;
  const rows = isNarrow(drawing)
    ? narrowLines(rung, drawing)
    : [rungLine(rung, arrowWidth(drawing), display)];
  const sentence = explain ? explanation(rung) : undefined;
  if (sentence === undefined) return withMargin(rows, drawing, word);
  const below = wrap(sentence, totalWidth(drawing) - BELOW - INDENT)
    .map((line) => " ".repeat(BELOW) + styled(line, "dim", display));
  return withMargin([...rows, ...below], drawing, word);
}

/** Draws the names of both programs, on one line or, if they don't fit, on two. */
export function drawNameLines(names: SideNames, drawing: Drawing, word = ""): string[] {
  const { display } = drawing;
  const total = totalWidth(drawing);
  const [client, server] = [plain(names.client, display), plain(names.server, display)];
  if (isNarrow(drawing)) {
    const [left, right] = [cutTo(client, total - INDENT), cutTo(server, total - INDENT)];
    const lines = [
      [left, " ".repeat(INDENT) + styled(left, sideStyles.client, display)],
      [right, " ".repeat(total - widthOf(right)) + styled(right, sideStyles.server, display)],
    ].flatMap(([name = "", line = ""]) => name === "" ? [] : [line]);
    return withMargin(lines, drawing, word);
  }
  const serverColumn = INDENT + CLIENT + GAP + arrowWidth(drawing) + GAP;
  const start = Math.min(serverColumn, total - widthOf(server));
  const left = cutTo(client, Math.max(0, start - INDENT - GAP));
  const right = cutTo(server, total - Math.max(start, INDENT + widthOf(left) + GAP));
  const line = " ".repeat(INDENT) + styled(left, sideStyles.client, display) +
    " ".repeat(Math.max(GAP, start - INDENT - widthOf(left))) +
    styled(right, sideStyles.server, display);
  return withMargin([line.trimEnd()], drawing, word);
}

/** Puts the word in the margin of the first line. */
function withMargin(lines: string[], { display, margin = 0 }: Drawing, word: string): string[] {
  const before = styled(padTo(word, margin), "dim", display);
  return lines.map((line, index) => (index === 0 ? before : " ".repeat(margin)) + line);
}

function arrowWidth({ display, margin = 0 }: Drawing): number {
  return Math.min(MAX_ARROW, display.columns - margin - besideArrow - TIME);
}

/** Columns taken by both sides and the gaps. */
const besideArrow = INDENT + CLIENT + GAP + GAP + SERVER;

/** Whether the time and the arrow's label have no room next to the calls. */
function isNarrow(drawing: Drawing): boolean {
  return arrowWidth(drawing) < MIN_ARROW;
}

/** Columns of a rung without its margin. */
function totalWidth(drawing: Drawing): number {
  return besideArrow + arrowWidth(drawing) + TIME;
}

/** A rung in few columns: the label and the time are below its arrow. */
function narrowLines(rung: Rung, drawing: Drawing): string[] {
  const { client, server, crossing } = rung;
  const { display } = drawing;
  const total = totalWidth(drawing);
  const time = `${rung.time.toFixed(1)} ms`;
  // Without an arrow, the text may use the arrow's columns.
  const left = cutTo(callsOf(client), crossing === undefined ? total - INDENT - TIME : CLIENT);
  const right = callsOf(server);
  const arrow = Math.max(3, total - besideArrow);
  const start = INDENT + CLIENT + GAP + arrow + GAP;
  const calls = (column: number): string =>
    " ".repeat(INDENT) + styledCalls(left, client, "client", display) +
    " ".repeat(Math.max(GAP, column - INDENT - widthOf(left)));
  if (crossing === undefined) {
    const latest = total - time.length - GAP - widthOf(right);
    const column = Math.max(INDENT + widthOf(left) + GAP, Math.min(start, latest));
    const room = Math.max(0, total - time.length - column);
    const serverText = styledCalls(padTo(right, room), server, "server", display);
    return [calls(column) + serverText + styled(time, "dim", display)];
  }
  const room = total - BELOW - TIME;
  const style = toneStyles[toneOf(crossing)];
  const faults = crossing.data === undefined ? crossing.faults ?? [] : [];
  const label = cutTo([labelOf(crossing, room, display.unicode), ...faults].join(" "), room);
  const below = " ".repeat(BELOW) + styled(padTo(label, room), style, display) +
    time.padStart(TIME);
  if (crossing.what === "silence") return [below];
  const strokes = strokesOf(display).line.repeat(arrow - headsOf(crossing));
  const shaft = withHeads(crossing, strokes, display);
  return [
    (calls(INDENT + CLIENT + GAP) + styled(shaft, style, display) + " ".repeat(GAP) +
      styledCalls(right, server, "server", display)).trimEnd(),
    below,
  ];
}

function rungLine(
  { time, client, server, crossing }: Rung,
  arrow: number,
  display: Display,
): string {
  const left = cutTo(callsOf(client), crossing === undefined ? CLIENT + arrow : CLIENT);
  const right = callsOf(server);
  // Without an arrow, the text may use the arrow's columns.
  const roomLeft = CLIENT + GAP + arrow + GAP;
  const overflow = crossing === undefined ? Math.max(0, widthOf(right) - SERVER) : 0;
  const middle = crossing === undefined
    ? " ".repeat(Math.max(GAP, roomLeft - overflow - widthOf(left)))
    : " ".repeat(CLIENT - widthOf(left) + GAP) +
      styled(drawArrow(crossing, arrow, display), toneStyles[toneOf(crossing)], display) +
      " ".repeat(GAP);
  const serverText = padTo(right, SERVER + overflow);
  const margin = `${time.toFixed(1)} ms`.padStart(TIME);
  return " ".repeat(INDENT) + styledCalls(left, client, "client", display) + middle +
    styledCalls(serverText, server, "server", display) + styled(margin, "dim", display);
}

function styledCalls(
  text: string,
  events: readonly SocketEvent[],
  side: Side,
  display: Display,
): string {
  const failed = events.some(({ error }) => error !== undefined);
  return styled(text, failed ? "red" : sideStyles[side], display);
}

/** Draws silence: dots on both sides of the label. */
function drawSilence(crossing: Crossing, width: number, display: Display): string {
  const label = labelOf(crossing, width);
  const dots = Math.max(1, Math.floor((width - widthOf(label) - 4) / 4));
  const half = (display.unicode ? "· " : ". ").repeat(dots);
  return padTo(` ${half}${label} ${half}`.trimEnd(), width);
}

/** The characters that arrows are drawn with. */
function strokesOf({ unicode }: Display) {
  return unicode
    ? { line: "─", right: "▶", left: "◀", lost: "✕" }
    : { line: "-", right: ">", left: "<", lost: "x" };
}

function drawArrow(crossing: Crossing, width: number, display: Display): string {
  if (crossing.what === "silence") return drawSilence(crossing, width, display);
  const { line } = strokesOf(display);
  const { faults = [] } = crossing;
  const fault = faults.length === 0 ? "" : ` ${faults.join(" ")} ${line}${line}`;
  // Two strokes and a space before the label; a space and two strokes after it.
  const room = width - headsOf(crossing) - 6 - fault.length;
  const label = labelOf(crossing, room, display.unicode);
  const rest = Math.max(2, room + 2 - widthOf(label));
  return withHeads(crossing, `${line}${line} ${label} ${line.repeat(rest)}${fault}`, display);
}

function headsOf({ from }: Crossing): number {
  return from === "between" ? 2 : 1;
}

function withHeads({ from, lost: isLost }: Crossing, shaft: string, display: Display): string {
  const { right, left, lost } = strokesOf(display);
  if (from === "between") return left + shaft + right;
  return from === "client" ? shaft + (isLost ? lost : right) : (isLost ? lost : left) + shaft;
}

function plain(text: string, display: Display): string {
  const shown = visible(text);
  return display.unicode ? shown : asciiOnly(shown);
}
