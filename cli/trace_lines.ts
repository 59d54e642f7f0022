import { formatEndpoint } from "../protocol/addresses.ts";
import type { SocketEvent, Trace } from "../sockets/socket_events.ts";
import type { Output } from "./output.ts";
import { asciiOnly, cutTo, padTo, quoteBytes } from "../text/width.ts";
import { type Display, type Style, styled } from "../text/display.ts";

/** Widths of the columns before the data: milliseconds, program and socket, call, result. */
const COLUMNS = { time: 9, who: 15, call: 24, result: 5 };

const HEADER = [
  "# Deno makes the system calls; each line is one operation of Deno's, mapped to",
  "# its call: milliseconds, program and socket, call, result, bytes.",
];

/** Prints socket events as they happen, a line each, in columns. */
export function traceLines(output: Output, display: Display): Trace {
  let start: number | undefined;
  return (event) => {
    if (start === undefined) HEADER.forEach((line) => output.line(styled(line, "dim", display)));
    start ??= event.time;
    output.line(traceLine(event, event.time - start, display));
  };
}

/** One event as a line: time since the first, program and socket, call, result, data. */
function traceLine(event: SocketEvent, elapsed: number, display: Display): string {
  const { who, socket, error, data } = event;
  const time = elapsed.toFixed(3).padStart(COLUMNS.time);
  const result = error ?? (data === undefined ? "ok" : String(data.length));
  const used = COLUMNS.time + COLUMNS.who + COLUMNS.call + COLUMNS.result + 4;
  const room = display.columns - used;
  const style: Style = error !== undefined ? "red" : styleOf(event);
  const called = cutTo(callText(event, display), COLUMNS.call);
  const cells = [
    styled(time, "dim", display),
    padTo(`${who} #${socket}`, COLUMNS.who),
    styled(padTo(called, COLUMNS.call), style, display),
    styled(padTo(result, COLUMNS.result), style, display),
    data === undefined || data.length === 0 ? "" : quoteBytes(data, room, display.unicode),
  ];
  return cells.join(" ").trimEnd();
}

/** The call with the arguments that matter, as in C. */
function callText({ call, local, remote, data }: SocketEvent, display: Display): string {
  const name = (endpoint: SocketEvent["local"]): string => {
    if (endpoint === undefined) return "";
    const text = formatEndpoint(endpoint);
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
