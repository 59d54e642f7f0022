import type { SocketCall } from "../sockets/socket_events.ts";

/** Milliseconds between additions to the budget. */
const TICK_MS = 100;
/** Events taken in one burst, from all connections and from one; nobody can follow more. */
const BURST = 2_500;
const BURST_OF_ONE = 2_000;
/** Events taken per tick after that. */
const PER_TICK = 30;
const PER_TICK_OF_ONE = 10;
/** Calls taken at any rate if an earlier one was: they show how a connection ended. */
const always: readonly SocketCall[] = ["shutdown", "close"];

/** The remaining budget of one socket or connection. */
interface Share {
  left: number;
  tick: number;
  /** Events that were not taken since the last one that was. */
  skipped: number;
}

/**
 * Decides which events to take, so that the page does not slow a busy server: events too fast for
 * people to follow are skipped and counted.
 */
export class Budget implements Disposable {
  readonly #shares = new Map<number, Share>();
  readonly #timer: ReturnType<typeof setInterval>;
  #left = BURST;
  #tick = 0;

  constructor() {
    this.#timer = setInterval(() => {
      this.#tick++;
      this.#left = Math.min(BURST, this.#left + PER_TICK);
    }, TICK_MS);
  }

  /** Whether the next event of a socket is taken. */
  takes(socket: number, call: SocketCall): boolean {
    const share = this.#shares.get(socket);
    if (share !== undefined && always.includes(call)) return true;
    if (this.#left === 0 || call === "close") {
      if (share !== undefined) share.skipped++;
      return false;
    }
    return this.#spend(share ?? this.#begin(socket));
  }

  /** Whether the next event of a socket would be taken; if not, it is counted as skipped. */
  wouldTake(socket: number): boolean {
    const share = this.#shares.get(socket);
    const isSpent = share !== undefined && share.left === 0 && share.tick === this.#tick;
    if (this.#left > 0 && !isSpent) return true;
    if (share !== undefined) share.skipped++;
    return false;
  }

  /** Returns how many events of a socket were skipped since the last one, and resets the count. */
  skipped(socket: number): number {
    const share = this.#shares.get(socket);
    if (share === undefined) return 0;
    const { skipped } = share;
    share.skipped = 0;
    return skipped;
  }

  /** Forgets a socket that is closed. */
  forget(socket: number): void {
    this.#shares.delete(socket);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #begin(socket: number): Share {
    const share = { left: BURST_OF_ONE, tick: this.#tick, skipped: 0 };
    this.#shares.set(socket, share);
    return share;
  }

  #spend(share: Share): boolean {
    if (share.tick !== this.#tick) {
      const earned = (this.#tick - share.tick) * PER_TICK_OF_ONE;
      share.left = Math.min(BURST_OF_ONE, share.left + earned);
      share.tick = this.#tick;
    }
    if (share.left === 0) {
      share.skipped++;
      return false;
    }
    share.left--;
    this.#left--;
    return true;
  }
}
