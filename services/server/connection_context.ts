import type { Protocol } from "../../protocol/addresses.ts";
import type { LineReader, Typing } from "../../sockets/line_reader.ts";
import type { SilenceTimers } from "../../sockets/silence_timers.ts";
import type { Service } from "../service.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { Deadlines } from "../../sockets/deadlines.ts";
import type { Limits, ServerEvents } from "./server.ts";

/** What all connections of a server share. */
export interface ConnectionContext extends Limits {
  readonly service: Service;
  readonly protocol: Protocol;
  readonly deadlines: Deadlines;
  readonly silence: SilenceTimers<LineReader>;
  readonly typing: Typing | undefined;
  readonly requestBuffers: BufferPool;
  readonly replyBuffers: BufferPool;
  readonly onAnswered: ServerEvents["answered"];
  readonly onSent: ServerEvents["sent"];
  readonly onIgnored: ServerEvents["ignored"];
  readonly onForeign: ServerEvents["foreign"];
  /** Requests answered on all connections. */
  answered: number;
  /** Whether the server is stopping: connections with nothing left to answer end. */
  draining: boolean;
}
