import type { SocketCall, SocketEvent } from "../sockets/socket_events.ts";
import { crossingMadeBy, sideOf } from "./ladder.ts";
import type { Crossing, Rung, Side } from "./rung.ts";

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
  const { call, data, bytes, error, reset } = event;
  const from = sideOf(event) === "client" ? "server" : "client";
  if (error !== undefined) return crossingOfError(call, from);
  switch (call) {
    case "accept":
      return { from, what: "handshake" };
    case "recv":
    case "recvfrom":
      if (call === "recv" && data?.length === 0) return { from, what: "end of stream" };
      return { from, what: "data", data, bytes };
    case "close":
      return hasEnded && !reset ? undefined : crossingMadeBy(event);
    default:
      return crossingMadeBy(event);
  }
}

/** What the other end answered, judging by the call that failed. */
function crossingOfError(call: SocketCall, from: Side): Crossing | undefined {
  if (call === "connect") return { from, what: "refused" };
  if (call === "recv" || call === "send") return { from, what: "reset" };
  return undefined;
}
