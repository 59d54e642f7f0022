import type { ConnectionContext } from "./connection_context.ts";
import type { EndReason } from "./server.ts";

/** What a connection is doing. */
export type ServingState =
  /** It waits for its peer's next request. */
  | "idle"
  /** A request has begun to arrive. */
  | "receiving"
  /** The input it has read waits for its turn to be answered. */
  | "queued"
  /** Replies are being written. */
  | "replying"
  /** It waits within a reply, as its service asked. */
  | "pausing"
  /** Its service will never answer it again: it waits for its peer to leave. */
  | "silent"
  /** Nothing more is answered: it waits for its peer to read the replies and leave. */
  | "lingering"
  | "closed";

/** Why a connection ends when its time in a state is up. */
const timeoutReasons: Readonly<Record<ServingState, EndReason>> = {
  idle: "idle timeout",
  receiving: "request timeout",
  queued: "request timeout",
  replying: "reply timeout",
  pausing: "reply timeout",
  silent: "idle timeout",
  lingering: "served",
  closed: "served",
};

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
  #state: ServingState = "idle";
  /** When it times out for lack of a request; empty lines don't extend it. */
  #idleDeadline: number;
  /** When the incoming request must be complete. */
  #requestDeadline = Infinity;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#idleDeadline = limits.deadlines.after(limits.idleTimeout);
  }

  get state(): ServingState {
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

  #enter(state: ServingState, deadline: number): void {
    if (this.#state === "closed") return;
    this.#state = state;
    this.deadline = deadline;
  }
}
