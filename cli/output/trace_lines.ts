import { formatEndpoint } from "../../protocol/addresses.ts";
import type { SocketEvent, Trace } from "../../sockets/socket_events.ts";
import type { Output } from "./output.ts";
import { visible } from "../../text/visible.ts";
import { asciiOnly, cutTo, padTo, quoteBytes, widthOf, wrap } from "../../text/width.ts";
import { type Display, type Style, styled } from "../../text/display.ts";

/** Widths of the columns before the data: start, duration, program and socket, call, result. */
const COLUMNS = { time: 8, duration: 7, who: 17, call: 24, result: 5 };
/** Width of the call's column at a wide terminal: an IPv6 address with its port fits. */
const WIDE_CALL = 52;
/** Columns of a display on which an event needs no second line. */
const NARROW = 80;

/** Columns before the second line of an event. */
const INDENT = " ".repeat(COLUMNS.time + 1);
/** Least columns in which data is shown. */
const MIN_DATA = 5;

/** Milliseconds that events are held back, so that drawing them does not count towards a call. */
const HELD_MS = 20;
/** Most events held back, since they keep their data. */
const MAX_HELD = 128;

const HEADER = "Deno makes the system calls; each line is one operation of Deno's, mapped to its " +
  "call: start and duration in ms, program and socket, call, result, bytes.";

/** Prints socket events a moment after they happen, one per line, in columns. */
export function traceLines(output: Output, display: Display): Trace {
  let held: SocketEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let start: number | undefined;
  const draw = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const events = held;
    held = [];
    for (const event of events) {
      if (start === undefined) {
        const header = wrap(HEADER, Math.min(NARROW, display.columns) - 2);
        for (const line of header) output.line(styled(`# ${line}`, "dim", display));
      }
      start ??= startOf(event);
      for (const line of linesOf(event, startOf(event) - start, display)) output.line(line);
    }
  };
  output.onHeld(draw);
  return (event) => {
    held.push(event);
    if (held.length === MAX_HELD) draw();
    else timer ??= setTimeout(draw, HELD_MS);
  };
}

/** Returns when a call was made, as `performance.now()`; an event of a waiting call has its end. */
function startOf({ call, time, duration = 0 }: SocketEvent): number {
  const waits = call === "recv" || call === "recvfrom" || call === "accept";
  return waits ? time - duration : time;
}

/** Formats an event: start since the first, duration, program and socket, call, result, data. */
function linesOf(event: SocketEvent, start: number, display: Display): readonly string[] {
  const { who, socket, duration, error, data } = event;
  const isNarrow = display.columns < NARROW;
  const result = error ?? (data === undefined ? "ok" : String(data.length));
  const style: Style = error !== undefined ? "red" : styleOf(event);
  const callWidth = isNarrow
    ? display.columns - INDENT.length - widthOf(result) - 1
    : Math.min(WIDE_CALL, COLUMNS.call + Math.floor((display.columns - NARROW) / 3));
  const call = cutTo(callText(event, display), callWidth);
  const heads: readonly Cell[] = [
    [start.toFixed(3).padStart(COLUMNS.time), "dim"],
    [(duration?.toFixed(3) ?? "").padStart(COLUMNS.duration), "dim"],
    [padTo(`${who} #${socket}`, COLUMNS.who), undefined],
  ];
  if (!isNarrow) {
    const cells: readonly Cell[] = [
      ...heads,
      [padTo(call, callWidth), style],
      [padTo(result, COLUMNS.result), style],
    ];
    return [joined(cells, data, display)];
  }
  // The data is put below, too, if there is room for it.
  return [
    joined(heads, undefined, display),
    joined([[INDENT + call, style], [result, style]], data, display),
  ];
}

/** A cell of a line, padded, and its style. */
type Cell = readonly [text: string, style: Style | undefined];

/** Joins cells, and as much of the data as there is room for. */
function joined(cells: readonly Cell[], data: Uint8Array | undefined, display: Display): string {
  const used = cells.reduce((sum, [text]) => sum + widthOf(text) + 1, 0);
  const room = display.columns - used;
  const shown = data === undefined || data.length === 0 || room < MIN_DATA
    ? ""
    : quoteBytes(data, room, display.unicode);
  const texts = cells.map(([text, style]) => style ? styled(text, style, display) : text);
  return [...texts, shown].join(" ").trimEnd();
}

/** The call with its main arguments, as in C. */
function callText({ call, local, remote, data }: SocketEvent, display: Display): string {
  const name = (endpoint: SocketEvent["local"]): string => {
    if (endpoint === undefined) return "";
    const text = visible(formatEndpoint(endpoint));
    return display.unicode ? text : asciiOnly(text);
  };
  switch (call) {
    case "socket":
      return `socket(${familyOf(local ?? remote)})`;
    case "bind":
    case "listen":
      return `${call}(${name(local)})`;
    case "connect":
    case "accept":
      return `${call}(${name(remote)})`;
    case "send":
    case "recv":
      return `${call}(${data?.length ?? ""})`;
    case "sendto":
    case "recvfrom":
      return `${call}(${[data?.length, name(remote)].filter((word) => word !== "").join(", ")})`;
    case "shutdown":
      return "shutdown(SHUT_WR)";
    case "close":
      return "close()";
  }
}

function familyOf(endpoint: SocketEvent["local"]): string {
  if (endpoint === undefined) return "";
  if ("path" in endpoint) return "AF_UNIX";
  return endpoint.hostname.includes(":") ? "AF_INET6" : "AF_INET";
}

function styleOf({ call }: SocketEvent): Style {
  if (call === "send" || call === "sendto") return "green";
  if (call === "recv" || call === "recvfrom") return "cyan";
  return "yellow";
}
