import type { ServerConnection } from "./server_connection.ts";
import type { ConnectionContext } from "./connection_context.ts";
import type { ServingState } from "./connection_life.ts";
import { ARRIVED_MS } from "./server.ts";

/** States in which a connection waits only for its peer. */
const waitsForPeer: ReadonlySet<ServingState> = new Set(["idle", "silent"]);

/** How often in a row nothing new was answered before connections count as idle. */
const LOOKS = 2;
const LOOK_MS = ARRIVED_MS / LOOKS;

/**
 * Ends connections once their server stops, depending on their state:
 *
 * - receiving, queued, replying, pausing: by themselves, once what has arrived is answered;
 * - idle, silent: when no request has been answered for a moment. Requests in the kernel's buffers
 *   are read in the next turns of the event loop; a peer still silent after that has sent none;
 * - lingering: by themselves;
 * - any still open at the end of the grace period: at once.
 */
export class Drain {
  readonly #connections: ReadonlySet<ServerConnection>;
  readonly #context: ConnectionContext;
  readonly #grace: ReturnType<typeof setTimeout>;
  #idle: ReturnType<typeof setInterval> | undefined;
  #isOver = false;

  /**
   * @param turnedAway Connections that are read no more, only closed.
   */
  constructor(
    connections: ReadonlySet<ServerConnection>,
    turnedAway: ReadonlySet<ServerConnection>,
    context: ConnectionContext,
  ) {
    context.draining = true;
    this.#connections = connections;
    this.#context = context;
    this.#grace = setTimeout(() => {
      this.#isOver = true;
      cutAll(connections);
      cutAll(turnedAway);
    }, context.grace);
  }

  /** Whether the grace period has passed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Call once no more connections are accepted: from now on idle ones are ended. */
  endIdle(): void {
    let before = this.#context.answered;
    let lookedAt = performance.now();
    let quiet = 0;
    this.#idle ??= setInterval(() => {
      const { answered } = this.#context;
      const now = performance.now();
      // On a machine that was held up, the timer comes before what has arrived meanwhile.
      const isLate = now - lookedAt > 2 * LOOK_MS;
      quiet = answered === before && !isLate ? quiet + 1 : 0;
      before = answered;
      lookedAt = now;
      if (quiet >= LOOKS) endAll(this.#connections, waitsForPeer);
    }, LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#idle);
    clearTimeout(this.#grace);
  }
}

/** Ends all connections at once; replies not yet delivered are lost. */
export function cutAll(connections: ReadonlySet<ServerConnection>): void {
  for (const connection of connections) connection.end("server stops", 0);
}

function endAll(
  connections: ReadonlySet<ServerConnection>,
  states: ReadonlySet<ServingState>,
): void {
  for (const connection of connections) {
    if (states.has(connection.state)) connection.end("server stops");
  }
}
