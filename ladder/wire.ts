import { formatEndpoint } from "../protocol/addresses.ts";
import type { Endpoint, Protocol } from "../protocol/addresses.ts";
import type { SocketCall, SocketEvent } from "../sockets/socket_events.ts";
import type { Crossing, Rung, Side, SideNames } from "./rung.ts";

/** What somebody sees of a connection, or of a client's datagrams, who stands between both ends. */
export type WireEvent =
  & {
    /** When, as `performance.now()`. */
    readonly time: number;
    /** Counts connections, or clients over UDP, from 1. */
    readonly connection: number;
  }
  & (
    | WireEnds & { readonly what: "connected" }
    /** The server could not be reached: an errno name, or what else it failed with. */
    | WireEnds & { readonly what: "refused"; readonly why: string }
    | WireData
    /** One side sends no more. */
    | { readonly what: "ended"; readonly from: Side }
    | { readonly what: "reset"; readonly from: Side }
    /** A fault struck the connection as a whole. */
    | { readonly what: "fault"; readonly fault: string }
    /** Both ends are gone. */
    | WireEnds & {
      readonly what: "closed";
      readonly reason: "ended" | "reset" | "fault" | "silent";
      /** Bytes that each side sent. */
      readonly clientBytes: number;
      readonly serverBytes: number;
    }
  );

/** Both ends of a connection, and what stands between. */
export interface WireEnds {
  readonly client: Endpoint;
  /** Where the client has reached the relay. */
  readonly relay: Endpoint;
  readonly server: Endpoint;
  /** Milliseconds until the server answered; at the end, those of the whole connection. */
  readonly elapsedMs: number;
}

/** Bytes on their way. */
export interface WireData {
  readonly what: "data";
  readonly from: Side;
  /** The beginning of them. */
  readonly data: Uint8Array;
  /** How many there were. */
  readonly bytes: number;
  /** What is done to them. */
  readonly faults: readonly string[];
  /** They don't reach the other side. */
  readonly lost: boolean;
}

/**
 * A rung for what was seen from between both ends: the calls of a program are
 * known only where nothing else can have caused what was seen.
 *
 * @param start When the connection began, as `performance.now()`.
 * @returns `undefined` for what is not drawn.
 */
export function wireRung(
  event: WireEvent,
  start: number,
  protocol: Protocol,
): Rung | undefined {
  const rung = (crossing: Crossing, calls: Partial<Pick<Rung, Side>> = {}): Rung => ({
    time: event.time - start,
    client: [],
    server: [],
    ...calls,
    crossing,
  });
  const call = (name: SocketCall, who: Side, more: Partial<SocketEvent> = {}): SocketEvent[] => [
    { time: event.time, who, socket: event.connection, call: name, ...more },
  ];
  switch (event.what) {
    case "connected":
      if (protocol === "udp") return undefined;
      return rung({ from: "client", what: "handshake" }, { client: call("connect", "client") });
    case "refused":
      return rung({ from: "server", what: "refused" }, {
        client: call("connect", "client", { error: event.why }),
      });
    case "data": {
      const { from, data, bytes, faults, lost } = event;
      const name = protocol === "udp" ? "sendto" : "send";
      return rung({ from, what: "data", data, bytes, faults, lost }, {
        [from]: call(name, from, { data, bytes }),
      });
    }
    case "ended":
      return rung({ from: event.from, what: "end of stream" });
    case "reset":
      return rung({ from: event.from, what: "reset" });
    case "fault":
      return rung(faultCrossing(event.fault));
    case "closed":
      return undefined;
  }
}

/** The names above a connection's ladder; `undefined` for events that give none. */
export function wireNames(event: WireEvent): SideNames | undefined {
  if (event.what !== "connected" && event.what !== "refused") return undefined;
  return {
    client: `client ${formatEndpoint(event.client)}`,
    server: `server ${formatEndpoint(event.server)}`,
  };
}

/** What a fault looks like that strikes the connection as a whole. */
function faultCrossing(fault: string): Crossing {
  const kinds: Readonly<Record<string, Crossing["what"]>> = {
    reset: "reset",
    close: "end of stream",
    stall: "nothing more",
  };
  return { from: "between", what: kinds[fault] ?? "nothing more", faults: [fault] };
}
