import type { ConnectionContext } from "./connection_context.ts";
import { type ConnectionState, timeoutReasons } from "./connection_state.ts";
import type { EndReason } from "./server.ts";

/** What decides how long a connection may stay in a state. */
type Limits = Pick<ConnectionContext, "deadlines" | "idleTimeout" | "requestTimeout">;

/**
 * The state of a connection, and when its time in it is up.
 *
 * {@linkcode #enter} is the one place where either changes.
 */
export class ConnectionLife {
  /** By the clock of the deadlines; `Infinity` for never. */
  deadline = Infinity;

  readonly #limits: Limits;
  #state: ConnectionState = "idle";
  /** When it times out for lack of a request; empty lines don't extend it. */
  #idleDeadline: number;
  /** When the incoming request must be complete. */
  #requestDeadline = Infinity;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#idleDeadline = limits.deadlines.after(limits.idleTimeout);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether requests are still answered. */
  get converses(): boolean {
    const state = this.#state;
    return state !== "lingering" && state !== "silent" && state !== "closed";
  }

  /** Why it ends if its time in this state is up. */
  get timeoutReason(): EndReason {
    return timeoutReasons[this.#state];
  }

  /** @returns whether it has waited too long already: no sweep has seen it idle. */
  expectRequest(): boolean {
    this.#enter("idle", this.#idleDeadline);
    return this.#limits.deadlines.hasPassed(this.#idleDeadline);
  }

  /** @param isSame Whether more of the same request is expected, which keeps its deadline. */
  expectRest(isSame: boolean): void {
    const { deadlines, requestTimeout } = this.#limits;
    if (!isSame) this.#requestDeadline = deadlines.after(requestTimeout);
    this.#enter("receiving", this.#requestDeadline);
  }

  /** It waits for this server, so no deadline applies. */
  queue(): void {
    this.#enter("queued", Infinity);
  }

  reply(): void {
    const { deadlines, requestTimeout } = this.#limits;
    this.#enter("replying", deadlines.after(requestTimeout));
  }

  pause(ms: number): void {
    const { deadlines, requestTimeout } = this.#limits;
    this.#enter("pausing", deadlines.after(ms + requestTimeout));
  }

  beSilent(): void {
    const { deadlines, idleTimeout } = this.#limits;
    this.#enter("silent", deadlines.after(idleTimeout));
  }

  /** @param patience Milliseconds that the peer has to leave. */
  linger(patience: number): void {
    this.#enter("lingering", this.#limits.deadlines.after(patience));
  }

  close(): void {
    this.#enter("closed", Infinity);
  }

  /** A request was answered: the time without one begins anew. */
  onAnswered(): void {
    const { deadlines, idleTimeout } = this.#limits;
    this.#idleDeadline = deadlines.after(idleTimeout);
  }

  #enter(state: ConnectionState, deadline: number): void {
    if (this.#state === "closed") return;
    this.#state = state;
    this.deadline = deadline;
  }
}
