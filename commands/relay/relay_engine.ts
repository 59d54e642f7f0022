import type { Endpoint, InternetEndpoint } from "../../protocol/addresses.ts";
import type { SocketFailure } from "../../sockets/failure.ts";
import type { Backend } from "./backend.ts";
import type { Fault } from "./faults/fault.ts";
import type { EventSink } from "../../ladder/wire.ts";

/** What a relay passes on, from where to where. */
export interface RelayOptions {
  /** IP addresses to listen on. */
  readonly addresses: readonly string[];
  /** 0 picks a port that is free on all of them. */
  readonly port: number;
  /** The server. */
  readonly backend: Backend;
  readonly faults: readonly Fault[];
  /** The seed that faults are drawn with. */
  readonly seed: number;
  /** Connections, or clients over UDP, at a time. */
  readonly maxConnections: number;
  /** Takes events. Without it none are made. */
  readonly emit?: EventSink | undefined;
  /** Bytes of each piece in its event. @default {4_096} */
  readonly keep?: number | undefined;
  /** Called when something went wrong outside of a connection; the relay continues. */
  readonly notice: (what: Notice) => void;
}

/** A problem of the relay itself. */
export type Notice =
  | {
    readonly what: "full";
    readonly connection: number;
    readonly client: Endpoint;
    readonly relay: Endpoint;
  }
  | { readonly what: "accept failed"; readonly error: Error }
  /** The server has no address yet. */
  | { readonly what: "unresolved"; readonly error: SocketFailure };

/** A relay that listens. It ends when its scope does. */
export interface Relay extends AsyncDisposable {
  readonly protocol: "tcp" | "udp";
  readonly addresses: readonly InternetEndpoint[];
  /** Connections, or clients over UDP, so far. */
  readonly connections: number;
  /** Those of them turned away because too many were open. */
  readonly rejected: number;
  /** Resolves once it has stopped. */
  readonly finished: Promise<void>;
}
