import { formatEndpoint } from "../protocol/addresses.ts";
import type { Endpoint, Protocol } from "../protocol/addresses.ts";
import type { SocketCall, SocketEvent } from "../sockets/socket_events.ts";
import type { Crossing, Rung, Side, SideNames } from "./rung.ts";

/** What can be seen of a connection, or of a client's datagrams, from between the two ends. */
export type WireEvent =
  & {
    /** When, as `performance.now()`. */
    readonly time: number;
    /** Number of the connection, or of the client over UDP, from 1. */
    readonly connection: number;
  }
  & (
    | WireEnds & { readonly what: "connected" }
    /** The server could not be reached; `why` is an errno name or another reason. */
    | WireEnds & { readonly what: "refused"; readonly why: string }
    | WireData
    /** One side sends no more. */
    | { readonly what: "ended"; readonly from: Side }
    | { readonly what: "reset"; readonly from: Side }
    /** A fault struck the connection as a whole. */
    | { readonly what: "fault"; readonly fault: WireFault }
    /** Both ends are gone. */
    | WireEnds & {
      readonly what: "closed";
      readonly reason: "ended" | "reset" | "fault" | "silent";
      /** Bytes that each side sent. */
      readonly clientBytes: number;
      readonly serverBytes: number;
    }
  );

/** Takes events. It must be quick. */
export interface EventSink {
  (event: WireEvent): void;
  /** Whether it wants the next data of a connection, to be copied for it. @default {always} */
  takesData?(connection: number): boolean;
}

/** An event before it is known when it happened, and on which connection. */
export type UnnumberedEvent<E = WireEvent> = E extends unknown ? Omit<E, "time" | "connection">
  : never;

/** Both ends of a connection, and the relay between them. */
export interface WireEnds {
  readonly client: Endpoint;
  /** The address at which the client reached the relay. */
  readonly relay: Endpoint;
  readonly server: Endpoint;
  /** Milliseconds until the server answered; for `closed`, the duration of the connection. */
  readonly elapsedMs: number;
}

/** A fault on the way. */
export interface WireFault {
  readonly name: string;
  /** What it did, in a sentence for beginners. */
  readonly explanation: string;
  /** What both sides see of it, if it strikes the connection as a whole. @default {"nothing more"} */
  readonly crossing?: Crossing["what"];
}

/** Bytes in transit. */
export interface WireData {
  readonly what: "data";
  readonly from: Side;
  /** The first of them. */
  readonly data: Uint8Array;
  /** How many there were. */
  readonly bytes: number;
  /** The faults that strike them. */
  readonly faults: readonly WireFault[];
  /** Whether they don't reach the other side. */
  readonly lost: boolean;
  /** Where they came from, if not from the side's own address: no relay passes such a datagram on. */
  readonly source?: Endpoint;
}

/**
 * Returns the rung for an event seen from between the two ends: a program's call
 * is known only where nothing else can have caused the event.
 *
 * @param start When the connection began, as `performance.now()`.
 * @returns `undefined` for an event that is not drawn.
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
      const { from, data, bytes, lost, source } = event;
      const faults = source === undefined ? event.faults : [strangerFault(source)];
      const name = protocol === "udp" ? "sendto" : "send";
      return rung({ from, what: "data", data, bytes, lost, ...struckBy(faults) }, {
        [from]: call(name, from, { data, bytes }),
      });
    }
    case "ended":
      return rung({ from: event.from, what: "end of stream" });
    case "reset":
      return rung({ from: event.from, what: "reset" });
    case "fault":
      return rung({
        from: "between",
        what: event.fault.crossing ?? "nothing more",
        ...struckBy([event.fault]),
      });
    case "closed":
      return undefined;
  }
}

/** Returns the names above a connection's ladder; `undefined` if the event has none. */
export function wireNames(event: WireEvent): SideNames | undefined {
  if (event.what !== "connected" && event.what !== "refused") return undefined;
  return {
    client: `client ${formatEndpoint(event.client)}`,
    server: `server ${formatEndpoint(event.server)}`,
  };
}

function strangerFault(source: Endpoint): WireFault {
  return {
    name: `from ${formatEndpoint(source)}`,
    explanation: "It came from another address than the server's, so it is not passed on.",
  };
}

function struckBy(faults: readonly WireFault[]): Pick<Crossing, "faults" | "explanations"> {
  return {
    faults: faults.map(({ name }) => name),
    explanations: faults.map(({ explanation }) => explanation),
  };
}
