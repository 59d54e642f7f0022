import type { SocketEvent } from "../sockets/socket_events.ts";
import { sideOf } from "./ladder.ts";
import type { Crossing, Rung } from "./rung.ts";

/**
 * Returns the rung for a call of a program whose other end can't be seen: data that a call
 * received has crossed, too.
 *
 * @param start When the connection began, as `performance.now()`.
 * @param hasEnded Whether this side has already ended its sending, so that a close ends nothing.
 */
export function ownRung(event: SocketEvent, start: number, hasEnded = false): Rung {
  const own = sideOf(event);
  return {
    time: event.time - start,
    client: own === "client" ? [event] : [],
    server: own === "server" ? [event] : [],
    crossing: crossingOf(event, hasEnded),
  };
}

function crossingOf(event: SocketEvent, hasEnded: boolean): Crossing | undefined {
  const { call, data, error } = event;
  const own = sideOf(event);
  const other = own === "client" ? "server" : "client";
  if (error !== undefined) return crossingOfError(call, other);
  switch (call) {
    case "connect":
    case "accept":
      return { from: "client", what: "handshake" };
    case "recv":
      return data?.length === 0
        ? { from: other, what: "end of stream" }
        : { from: other, what: "data", data, bytes: event.bytes };
    case "recvfrom":
      return { from: other, what: "data", data, bytes: event.bytes };
    case "send":
    case "sendto":
      return { from: own, what: "data", data, bytes: event.bytes };
    case "shutdown":
      return { from: own, what: "end of stream" };
    case "close":
      if (event.reset) return { from: own, what: "reset" };
      return hasEnded ? undefined : { from: own, what: "end of stream" };
    default:
      return undefined;
  }
}

/** What the other end answered, judging by the call that failed. */
function crossingOfError(call: SocketEvent["call"], other: "client" | "server") {
  if (call === "connect") return { from: other, what: "refused" } as const;
  if (call === "recv" || call === "send") return { from: other, what: "reset" } as const;
  return undefined;
}
