import type { Endpoint } from "../protocol/addresses.ts";
import type { SocketCall, SocketEvent } from "../sockets/socket_events.ts";
import type { Crossing, Rung, Side } from "./rung.ts";

/** Milliseconds from which a silence is drawn. */
const LONG_SILENCE_MS = 100;

const OPENING: readonly SocketCall[] = ["socket", "bind", "listen"];

/** Returns the side that a program is on. */
export function sideOf({ who }: SocketEvent): Side {
  return who.endsWith("-client") ? "client" : "server";
}

/**
 * Merges the events of a client and a server, pairing each send with the receive
 * that it caused.
 *
 * Events are ordered by time. A call that sends is placed by when it was made,
 * one that receives by when it returned, so no cause comes after its effect.
 */
export function ladderOf(events: readonly SocketEvent[]): Rung[] {
  const ordered = [...events].sort((one, other) => one.time - other.time);
  const start = ordered[0]?.time ?? 0;
  const effects = pair(ordered);
  const paired = new Set(effects.values());
  const rungs: Rung[] = [];
  for (const event of ordered) {
    if (paired.has(event)) continue; // shares the rung of its cause
    const time = event.time - start;
    const last = rungs.at(-1);
    if (last !== undefined && continuesOpening(last, event)) {
      rungs[rungs.length - 1] = rungOf([...last.client, ...last.server, event], time);
      continue;
    }
    const silence = silenceBefore(event, last, start);
    if (silence !== undefined) rungs.push(silence);
    const effect = effects.get(event);
    const both = effect === undefined ? [event] : [event, effect];
    rungs.push(rungOf(both, time, crossingOf(event, effect)));
    if (event.call === "connect" && event.error !== undefined) {
      const answer: Crossing = { from: "server", what: "refused" };
      rungs.push({ time, client: [], server: [], crossing: answer });
    }
  }
  return rungs;
}

function rungOf(events: readonly SocketEvent[], time: number, crossing?: Crossing): Rung {
  return {
    time,
    client: events.filter((event) => sideOf(event) === "client"),
    server: events.filter((event) => sideOf(event) === "server"),
    crossing,
  };
}

/** The silence before an event, if it was long: a side waited until one end gave up or spoke. */
function silenceBefore(
  event: SocketEvent,
  last: Rung | undefined,
  start: number,
): Rung | undefined {
  // Before anything has crossed, neither side waits: a program is only slow to start.
  if (last?.crossing === undefined) return undefined;
  const time = event.time - start;
  const heard = [...last.client, ...last.server].map((event) => event.time - start);
  const milliseconds = time - Math.max(last.time, ...heard);
  if (milliseconds < LONG_SILENCE_MS) return undefined;
  const crossing: Crossing = { from: "between", what: "silence", milliseconds };
  return { time, client: [], server: [], crossing };
}

/** Whether an event joins the last rung: `socket() bind() listen()` are one. */
function continuesOpening({ client, server }: Rung, event: SocketEvent): boolean {
  const before = client.length + server.length > 0 ? [...client, ...server].at(-1) : undefined;
  return before !== undefined && before.socket === event.socket &&
    OPENING.includes(before.call) && OPENING.includes(event.call);
}

/** An event and the one that it caused. */
type Pair = readonly [cause: SocketEvent, effect: SocketEvent];

type Events = readonly SocketEvent[];

/** Maps each event to the one that it caused: each send to its receive. */
function pair(events: Events): Map<SocketEvent, SocketEvent> {
  const client = events.filter((event) => sideOf(event) === "client");
  const server = events.filter((event) => sideOf(event) === "server");
  const bothWays = [[client, server], [server, client]] as const;
  return new Map([
    ...pairConnections(events),
    ...bothWays.flatMap(([sent, received]) => [
      ...pairStream(sent, received),
      ...pairDatagrams(sent, received),
      ...pairEnds(sent, received),
    ]),
  ]);
}

function* pairConnections(events: Events): Iterable<Pair> {
  const accepts = events.filter(({ call, error }) => call === "accept" && error === undefined);
  for (const connect of events.filter(({ call, error }) => call === "connect" && !error)) {
    const index = accepts.findIndex(({ remote }) => isSame(remote, connect.local));
    const [accept] = index === -1 ? [] : accepts.splice(index, 1);
    if (accept !== undefined) yield [connect, accept];
  }
}

/**
 * A stream keeps the order of its bytes but not their boundaries: a receive is
 * paired with the send that its last byte came from.
 */
function pairStream(sent: Events, received: Events): Iterable<Pair> {
  let end = 0;
  const sends = sent.filter(({ call, error }) => call === "send" && error === undefined)
    .map((event) => ({ event, end: end += event.data?.length ?? 0 }));
  const first = new Map<SocketEvent, SocketEvent>();
  let position = 0;
  for (const event of received) {
    if (event.call !== "recv" || event.error !== undefined || event.data?.length === 0) continue;
    position += event.data?.length ?? 0;
    const send = sends.find(({ end }) => end >= position);
    if (send !== undefined && !first.has(send.event)) first.set(send.event, event);
  }
  return first;
}

function* pairDatagrams(sent: Events, received: Events): Iterable<Pair> {
  const waiting = sent.filter(({ call }) => call === "sendto");
  for (const event of received.filter(({ call }) => call === "recvfrom")) {
    const send = waiting.shift();
    if (send !== undefined) yield [send, event];
  }
}

/** Pairs the end or the reset of a stream with the call that caused it. */
function pairEnds(sent: Events, received: Events): Pair[] {
  const end = received.find(({ call, data, error }) =>
    call === "recv" && (error !== undefined || data?.length === 0)
  );
  const cause = end && endingOf(sent, end);
  return end === undefined || cause === undefined ? [] : [[cause, end]];
}

/** What ended one side's sending: its first shutdown or close of a connection. */
function endingOf(events: readonly SocketEvent[], before: SocketEvent): SocketEvent | undefined {
  return events.find((event) =>
    (event.call === "shutdown" || event.call === "close") && event.time <= before.time
  );
}

function crossingOf(event: SocketEvent, effect: SocketEvent | undefined): Crossing | undefined {
  const crossing = crossingMadeBy(event);
  if (crossing === undefined || event.call !== "close" || event.reset) return crossing;
  // What a close sent shows at the other end: nothing after a shutdown, a reset if input was lost.
  return effect && { ...crossing, what: effect.error === undefined ? "end of stream" : "reset" };
}

/** What crosses because of a call, other than one that receives. */
export function crossingMadeBy(event: SocketEvent): Crossing | undefined {
  const from = sideOf(event);
  const { call, data, bytes, reset } = event;
  switch (call) {
    case "connect":
      return { from, what: "handshake" };
    case "send":
    case "sendto":
      return { from, what: "data", data, bytes };
    case "shutdown":
      return { from, what: "end of stream" };
    case "close":
      return { from, what: reset ? "reset" : "end of stream" };
    default:
      return undefined;
  }
}

function isSame(one: Endpoint | undefined, other: Endpoint | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  if ("path" in one || "path" in other) return true; // the connecting end of a Unix socket has no name
  return one.port === other.port && one.hostname === other.hostname;
}
