import type { Connection } from "./connection.ts";
import type { ConnectionContext } from "./connection_context.ts";
import type { ConnectionState } from "./connection_state.ts";
import { ARRIVED_MS } from "./server.ts";

/** States in which a connection waits for nothing but its peer. */
const waitsForPeer: ReadonlySet<ConnectionState> = new Set(["idle", "silent"]);

/**
 * How connections end once their server stops, by what they are doing:
 *
 * - receiving, queued, replying, pausing: when what has arrived is answered, which they see to themselves;
 * - idle, silent: when no connection was answered for a moment. Requests in the kernel's buffers
 *   are read in the next turns of the event loop; whoever waits for one then has sent none;
 * - lingering: by themselves;
 * - whatever is still open at the end of the grace: at once.
 */
export class Drain {
  readonly #idle: ReturnType<typeof setInterval>;
  readonly #grace: ReturnType<typeof setTimeout>;

  /** @param grace Milliseconds. */
  constructor(
    connections: ReadonlySet<Connection>,
    context: ConnectionContext,
    grace: number,
  ) {
    context.draining = true;
    let before = context.answered;
    this.#idle = setInterval(() => {
      if (context.answered === before) endAll(connections, waitsForPeer);
      before = context.answered;
    }, ARRIVED_MS);
    this.#grace = setTimeout(() => cutAll(connections), grace);
  }

  stop(): void {
    clearInterval(this.#idle);
    clearTimeout(this.#grace);
  }
}

/** Ends all connections at once; replies that were not taken are lost. */
export function cutAll(connections: ReadonlySet<Connection>): void {
  for (const connection of connections) connection.end("server stops", 0);
}

function endAll(
  connections: ReadonlySet<Connection>,
  states: ReadonlySet<ConnectionState>,
): void {
  for (const connection of connections) {
    if (states.has(connection.state)) connection.end("server stops");
  }
}
