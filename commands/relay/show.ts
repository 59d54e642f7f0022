import type { Event } from "../../cli/output/events.ts";
import { type Channels, dataFields, eventLine, rounded } from "../../cli/output/channels.ts";
import { displayOf } from "../../cli/output/terminal.ts";
import { type Drawing, drawNameLines, drawRung } from "../../ladder/draw.ts";
import { explainOnce } from "../../ladder/explain.ts";
import { type WireEnds, type WireEvent, wireNames, wireRung } from "../../ladder/wire.ts";
import { formatEndpoint } from "../../protocol/addresses.ts";
import { styled } from "../../text/display.ts";
import { quoteBytes } from "../../text/width.ts";
import { visible } from "../../text/visible.ts";
import { counted } from "../../text/counted.ts";

/** Columns of data in a line for a pipe. */
const DATA_COLUMNS = 160;
/** Columns for the connection number before its rungs. */
const NUMBER_COLUMNS = 6;

/** Connections whose start times are kept: more than are open at a time. */
const MAX_STARTS = 20_000;

/** Shows events, in the order they happened. */
export type Show = (events: readonly WireEvent[]) => void;

/** When each open connection began, as `performance.now()`. */
class StartTimes {
  readonly #times = new Map<number, number>();

  /** Milliseconds since the connection of the event began. */
  since({ connection, time, what }: WireEvent): number {
    const start = this.#times.get(connection) ?? time;
    // If events come too fast, the end of a connection may be dropped and never remove its start.
    const [oldest] = this.#times.keys();
    if (oldest !== undefined && this.#times.size > MAX_STARTS) this.#times.delete(oldest);
    if (what === "closed" || what === "refused") this.#times.delete(connection);
    else this.#times.set(connection, start);
    return time - start;
  }
}

/** For a terminal: each connection's ladder, rung by rung as it happens. */
export function showLadder(
  { stdout }: Channels,
  protocol: "tcp" | "udp",
  explain: boolean,
): Show {
  const startTimes = new StartTimes();
  const explanation = explainOnce();
  let last = 0;
  return (events) => {
    const display = displayOf(Deno.stdout);
    for (const event of events) {
      const { connection } = event;
      const start = event.time - startTimes.since(event);
      // Once there are several connections, each rung carries its number.
      const margin = connection > 1 || last > 1 ? NUMBER_COLUMNS : 0;
      const drawing: Drawing = { display, explain, explanation, margin };
      const word = margin > 0 ? `#${connection}` : "";
      const names = wireNames(event);
      if (names !== undefined) {
        if (last > 0) stdout.line("");
        drawNameLines(names, drawing, word).forEach((line) => stdout.line(line));
      }
      last = Math.max(last, connection);
      const rung = wireRung(event, start, protocol);
      if (rung !== undefined) drawRung(rung, drawing, word).forEach((line) => stdout.line(line));
      if (event.what === "closed") {
        stdout.line(styled(`${word.padEnd(margin)}  ${closedText(event)}`, "dim", display));
      }
    }
  };
}

/** For a pipe: a line for each event. */
export function showLines({ stdout }: Channels): Show {
  return (events) => {
    for (const event of events) stdout.line(`#${event.connection} ${lineOf(event)}`);
  };
}

function lineOf(event: WireEvent): string {
  switch (event.what) {
    case "connected":
      return `client ${formatEndpoint(event.client)} is connected to ${serverOf(event)}`;
    case "refused":
      return `client ${formatEndpoint(event.client)} is reset: ${serverOf(event)} can't be ` +
        `reached: ${visible(event.why)}`;
    case "data": {
      const sender = event.source === undefined
        ? event.from
        : `${formatEndpoint(event.source)}, which is not the server's address,`;
      const names = event.faults.map(({ name }) => name).join(", ");
      const bytes = counted(event.bytes, "byte");
      return `${sender} sent ${bytes}: ${quoteBytes(event.data, DATA_COLUMNS)}` +
        (names === "" ? "" : ` (${names})`) + (event.lost ? " (does not arrive)" : "");
    }
    case "ended":
      return `${event.from} ended its side`;
    case "reset":
      return `${event.from} reset the connection`;
    case "fault":
      return `fault: ${event.fault.name}`;
    case "closed":
      return closedText(event);
  }
}

function closedText(event: WireEvent & { readonly what: "closed" }): string {
  const { clientBytes, serverBytes, elapsedMs } = event;
  const bytes = counted(clientBytes, "byte");
  return `closed after ${elapsedMs.toFixed(1)} ms: ${bytes} from the client, ` +
    `${serverBytes} from the server`;
}

function serverOf({ server }: WireEnds): string {
  return `server ${formatEndpoint(server)}`;
}

/** For programs: each event as one JSON object. */
export function showJson({ stdout }: Channels): Show {
  const startTimes = new StartTimes();
  return (events) => {
    for (const event of events) {
      const timeMs = rounded(startTimes.since(event));
      for (const line of jsonOf(event, timeMs)) stdout.line(eventLine(line));
    }
  };
}

/** An event for programs: what a fault did to a piece of data is a separate event. */
function jsonOf(event: WireEvent, timeMs: number): Event[] {
  const { connection } = event;
  switch (event.what) {
    case "connected":
      return [{ event: "connected", connection, ...endsOf(event) }];
    case "refused":
      return [{ event: "refused", connection, ...endsOf(event), errno: event.why }];
    case "data": {
      const { from, bytes, data, faults, lost, source } = event;
      return [
        {
          event: "data",
          connection,
          from,
          ...dataFields(data),
          bytes,
          ...(source === undefined ? {} : { remote: formatEndpoint(source) }),
          ...(lost ? { lost } : {}),
          timeMs,
        },
        ...faults.map(({ name: fault }) =>
          ({ event: "fault", connection, fault, from, timeMs }) as const
        ),
      ];
    }
    case "ended":
    case "reset":
      return [{ event: event.what, connection, from: event.from, timeMs }];
    case "fault":
      return [{ event: "fault", connection, fault: event.fault.name, timeMs }];
    case "closed": {
      const { reason, clientBytes, serverBytes } = event;
      const { server: _, ...ends } = endsOf(event);
      const common = { time: new Date().toISOString(), service: "relay", connection };
      return [{ event: "closed", ...common, ...ends, reason, clientBytes, serverBytes }];
    }
  }
}

function endsOf(event: WireEnds) {
  return {
    remote: formatEndpoint(event.client),
    local: formatEndpoint(event.relay),
    server: formatEndpoint(event.server),
    elapsedMs: rounded(event.elapsedMs),
  };
}
