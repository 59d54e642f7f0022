import { formatEndpoint } from "../protocol/addresses.ts";
import type { SocketEvent } from "../sockets/socket_events.ts";
import { asciiOnly, cutTo, padTo, quoteBytes, widthOf, wrap } from "../text/width.ts";
import { type Display, type Style, styled } from "../text/display.ts";
import { visible } from "../text/visible.ts";
import { explanationOf } from "./explain.ts";
import type { Crossing, Rung, Side } from "./ladder.ts";

/** Columns of the parts of a rung; the arrows take what is left. */
const INDENT = 2;
const CLIENT = 13;
const SERVER = 15;
const TIME = 10;
const GAP = 1;
/** Longer arrows are hard to follow. */
const LONGEST_ARROW = 72;

const sideStyles: Record<Side, Style> = { client: "cyan", server: "magenta" };

/** What a ladder shows beside its rungs. */
export interface Drawing {
  readonly display: Display;
  /** Whether each rung is explained below it. */
  readonly explain: boolean;
}

/** Draws the ladder: client left, server right, arrows for what crossed, time in the margin. */
export function drawLadder(rungs: readonly Rung[], drawing: Drawing): string[] {
  const arrow = Math.min(
    LONGEST_ARROW,
    drawing.display.columns - INDENT - CLIENT - GAP - GAP - SERVER - TIME,
  );
  const lines = [headLine(rungs, arrow, drawing.display)];
  for (const rung of rungs) {
    lines.push(rungLine(rung, arrow, drawing.display));
    const explanation = drawing.explain ? explanationOf(rung) : undefined;
    if (explanation === undefined) continue;
    const room = INDENT + CLIENT + GAP + arrow + GAP + SERVER + TIME;
    for (const line of wrap(explanation, room - 2 * INDENT)) {
      lines.push(" ".repeat(2 * INDENT) + styled(line, "dim", drawing.display));
    }
  }
  return lines;
}

/** The names of both programs with their addresses. */
function headLine(rungs: readonly Rung[], arrow: number, display: Display): string {
  const name = (events: readonly SocketEvent[]): string => {
    const known = events.findLast(({ local }) => local !== undefined && !isUnnamed(local)) ??
      events[0];
    if (known === undefined) return "";
    const { who, local } = known;
    const at = local === undefined || isUnnamed(local) ? "" : ` ${formatEndpoint(local)}`;
    return plain(who + at, display);
  };
  const left = name(rungs.flatMap(({ client }) => client));
  const right = name(rungs.flatMap(({ server }) => server));
  const total = INDENT + CLIENT + GAP + arrow + GAP + SERVER + TIME;
  const start = Math.min(INDENT + CLIENT + GAP + arrow + GAP, total - widthOf(right));
  const shownLeft = cutTo(left, Math.max(0, start - INDENT - GAP));
  const shownRight = cutTo(right, total - Math.max(start, INDENT + widthOf(shownLeft) + GAP));
  const line = " ".repeat(INDENT) + styled(shownLeft, sideStyles.client, display) +
    " ".repeat(Math.max(GAP, start - INDENT - widthOf(shownLeft))) +
    styled(shownRight, sideStyles.server, display);
  return line.trimEnd();
}

function isUnnamed(endpoint: NonNullable<SocketEvent["local"]>): boolean {
  return "path" in endpoint && endpoint.path === null;
}

function rungLine(
  { time, client, server, crossing }: Rung,
  arrow: number,
  display: Display,
): string {
  const left = cutTo(
    client.map(callText).join(" "),
    crossing === undefined ? CLIENT + arrow : CLIENT,
  );
  const right = server.map(callText).join(" ");
  // A rung without an arrow has the arrow's room for its text.
  const roomLeft = CLIENT + GAP + arrow + GAP;
  const overflow = crossing === undefined ? Math.max(0, widthOf(right) - SERVER) : 0;
  const middle = crossing === undefined
    ? " ".repeat(Math.max(GAP, roomLeft - overflow - widthOf(left)))
    : " ".repeat(CLIENT - widthOf(left) + GAP) +
      styled(drawArrow(crossing, arrow, display), arrowStyle(crossing), display) + " ".repeat(GAP);
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

/** `send(8)`, `recv(0)`, or what a failed call failed with. */
function callText({ call, data, error }: SocketEvent): string {
  if (error !== undefined && call !== "connect") return error;
  return `${call}(${data === undefined ? "" : data.length})`;
}

function drawArrow(crossing: Crossing, width: number, display: Display): string {
  const { line, right, left } = display.unicode
    ? { line: "─", right: "▶", left: "◀" }
    : { line: "-", right: ">", left: "<" };
  const room = width - 7; // two of the line and a space before it, a space, two and the head after
  const label = crossing.data === undefined
    ? crossing.what
    : quoteBytes(crossing.data, room, display.unicode);
  const rest = line.repeat(Math.max(2, width - widthOf(label) - 5));
  return crossing.from === "client"
    ? `${line}${line} ${label} ${rest}${right}`
    : `${left}${line}${line} ${label} ${rest}`;
}

function arrowStyle({ what }: Crossing): Style {
  return what === "reset" || what === "refused" ? "red" : what === "data" ? "green" : "yellow";
}

function plain(text: string, display: Display): string {
  const shown = visible(text);
  return display.unicode ? shown : asciiOnly(shown);
}
