import type { Endpoint, InternetEndpoint } from "../../protocol/addresses.ts";
import type { Fault } from "./fault.ts";
import type { See } from "./link.ts";

/** From where to where a relay passes things on, and how. */
export interface RelayOptions {
  /** IP addresses to listen on. */
  readonly addresses: readonly string[];
  /** 0 takes a port that is free on all of them. */
  readonly port: number;
  /** The server, by each of its addresses. */
  readonly targets: readonly InternetEndpoint[];
  readonly faults: readonly Fault[];
  /** What the faults are drawn with. */
  readonly seed: number;
  /** Connections, or clients over UDP, at a time. */
  readonly maxConnections: number;
  /** Takes what happens. Without it nothing is looked at. */
  readonly see?: See | undefined;
  /** Something that is no connection's own went wrong; it goes on. */
  readonly notice: (what: Notice) => void;
}

/** What a relay says of itself. */
export type Notice =
  | {
    readonly what: "full";
    readonly connection: number;
    readonly client: Endpoint;
    readonly relay: Endpoint;
  }
  | { readonly what: "accept failed"; readonly error: Error };

/** A relay that listens. It ends when its scope does. */
export interface Relay extends AsyncDisposable {
  readonly protocol: "tcp" | "udp";
  readonly addresses: readonly InternetEndpoint[];
  /** Connections, or clients over UDP, so far. */
  readonly connections: number;
  /** Of these, turned away as too many were open. */
  readonly rejected: number;
  /** Resolves once it has stopped. */
  readonly finished: Promise<void>;
}
