import { formatEndpoint } from "../protocol/addresses.ts";
import type { SocketEvent } from "../sockets/socket_events.ts";
import { asciiOnly, cutTo, padTo, quoteBytes, widthOf, wrap } from "../text/width.ts";
import { type Display, type Style, styled } from "../text/display.ts";
import { visible } from "../text/visible.ts";
import { explanationOf } from "./explain.ts";
import type { Crossing, Rung, Side, SideNames } from "./rung.ts";

/** Columns of the parts of a rung; the arrows take what is left. */
const INDENT = 2;
const CLIENT = 13;
const SERVER = 15;
const TIME = 10;
const GAP = 1;
/** Longer arrows are hard to follow. */
const LONGEST_ARROW = 72;

const sideStyles: Readonly<Record<Side, Style>> = { client: "cyan", server: "magenta" };

/** How a ladder is drawn. */
export interface Drawing {
  readonly display: Display;
  /** Whether each rung is explained below it. */
  readonly explain: boolean;
  /** Columns for a word before each rung, such as the number of its connection. @default {0} */
  readonly margin?: number;
}

/** Draws the ladder: client left, server right, arrows for what crossed, time in the margin. */
export function drawLadder(rungs: readonly Rung[], drawing: Drawing): string[] {
  return [
    drawNames(namesOf(rungs), drawing),
    ...rungs.flatMap((rung) => drawRung(rung, drawing)),
  ];
}

/** A rung on a line of its own, and what there is to explain about it below. */
export function drawRung(rung: Rung, drawing: Drawing, word = ""): string[] {
  const { display, explain, margin = 0 } = drawing;
  const arrow = arrowWidth(drawing);
  const before = styled(padTo(word, margin), "dim", display);
  const lines = [before + rungLine(rung, arrow, display)];
  const explanation = explain ? explanationOf(rung) : undefined;
  if (explanation === undefined) return lines;
  const indent = margin + 2 * INDENT;
  for (const line of wrap(explanation, margin + totalWidth(arrow) - indent - INDENT)) {
    lines.push(" ".repeat(indent) + styled(line, "dim", display));
  }
  return lines;
}

/** The names of both programs with their addresses. */
export function drawNames(names: SideNames, drawing: Drawing, word = ""): string {
  const { display, margin = 0 } = drawing;
  const arrow = arrowWidth(drawing);
  const [left, right] = [plain(names.client, display), plain(names.server, display)];
  const total = totalWidth(arrow);
  const start = Math.min(INDENT + CLIENT + GAP + arrow + GAP, total - widthOf(right));
  const shownLeft = cutTo(left, Math.max(0, start - INDENT - GAP));
  const shownRight = cutTo(right, total - Math.max(start, INDENT + widthOf(shownLeft) + GAP));
  const line = styled(padTo(word, margin), "dim", display) +
    " ".repeat(INDENT) + styled(shownLeft, sideStyles.client, display) +
    " ".repeat(Math.max(GAP, start - INDENT - widthOf(shownLeft))) +
    styled(shownRight, sideStyles.server, display);
  return line.trimEnd();
}

/** The names that the events of both sides give. */
export function namesOf(rungs: readonly Rung[]): SideNames {
  const name = (events: readonly SocketEvent[]): string => {
    const known = events.findLast(({ local }) => local !== undefined && !isUnnamed(local)) ??
      events[0];
    if (known === undefined) return "";
    const { who, local } = known;
    return local === undefined || isUnnamed(local) ? who : `${who} ${formatEndpoint(local)}`;
  };
  return {
    client: name(rungs.flatMap(({ client }) => client)),
    server: name(rungs.flatMap(({ server }) => server)),
  };
}

function arrowWidth({ display, margin = 0 }: Drawing): number {
  return Math.min(
    LONGEST_ARROW,
    display.columns - margin - INDENT - CLIENT - GAP - GAP - SERVER - TIME,
  );
}

function totalWidth(arrow: number): number {
  return INDENT + CLIENT + GAP + arrow + GAP + SERVER + TIME;
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

/** What a side did: `send(8)`, `recv(0)`, or what a failed call failed with. */
export function callText({ call, data, bytes, error }: SocketEvent): string {
  if (error !== undefined && call !== "connect") return error;
  return `${call}(${bytes ?? data?.length ?? ""})`;
}

function drawArrow(crossing: Crossing, width: number, display: Display): string {
  const { line, right, left, lost } = display.unicode
    ? { line: "─", right: "▶", left: "◀", lost: "✕" }
    : { line: "-", right: ">", left: "<", lost: "x" };
  const { from, what, data, faults = [] } = crossing;
  const fault = faults.length === 0 ? "" : ` ${faults.join(" ")} ${line}${line}`;
  const heads = from === "between" ? 2 : 1;
  // Two of the line and a space before the label; a space and two of the line after it.
  const room = width - heads - 6 - fault.length;
  const label = data === undefined ? cutTo(what, room) : quoteBytes(data, room, display.unicode);
  const rest = line.repeat(Math.max(2, width - heads - 4 - widthOf(label) - fault.length));
  const shaft = `${line}${line} ${label} ${rest}${fault}`;
  const isLost = crossing.lost === true;
  if (from === "between") return `${left}${shaft}${right}`;
  return from === "client" ? `${shaft}${isLost ? lost : right}` : `${isLost ? lost : left}${shaft}`;
}

function arrowStyle({ what, faults = [], lost }: Crossing): Style {
  if (what === "reset" || what === "refused" || lost === true) return "red";
  return what === "data" && faults.length === 0 ? "green" : "yellow";
}

function plain(text: string, display: Display): string {
  const shown = visible(text);
  return display.unicode ? shown : asciiOnly(shown);
}
