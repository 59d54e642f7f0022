import type { Protocol } from "../../protocol/addresses.ts";
import type { QuietQueue } from "../../sockets/quiet_queue.ts";
import type { Service } from "../service.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { Connection } from "./connection.ts";
import type { Deadlines } from "./deadlines.ts";
import type { FairQueue } from "./fair_queue.ts";
import type { ServerEvents } from "./server.ts";
import type { TimeSlices } from "./time_slices.ts";

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly service: Service;
  readonly protocol: Protocol;
  /** Bytes that a request may have. */
  readonly maxRequest: number;
  /** Milliseconds a connection may be without requests. */
  readonly idleTimeout: number;
  /** Milliseconds a request may take to arrive whole, and a reply to be taken. */
  readonly requestTimeout: number;
  readonly deadlines: Deadlines;
  readonly quiet: QuietQueue<Connection>;
  readonly requestBuffers: BufferPool;
  readonly replyBuffers: BufferPool;
  readonly fairQueue: FairQueue;
  readonly slices: TimeSlices;
  readonly onAnswered: ServerEvents["answered"];
  /** Requests answered on all connections. */
  answered: number;
  /** The server stops: who has nothing left to be answered ends. */
  draining: boolean;
}
