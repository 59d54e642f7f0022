import type { SocketCall } from "../sockets/socket_events.ts";

/** Milliseconds after which the buckets are refilled. */
const TICK_MS = 100;
/** Events taken in one burst, from all sockets and from one; nobody can follow more. */
const BURST = 2_500;
const BURST_OF_ONE = 2_000;
/** Events taken per tick after that. */
const PER_TICK = 30;
const PER_TICK_OF_ONE = 10;
/** Calls taken at any rate if an earlier one was: they show how a connection ended. */
const always: readonly SocketCall[] = ["shutdown", "close"];

/** The token bucket of one socket or connection. */
interface Bucket {
  tokens: number;
  /** When it was last refilled. */
  tick: number;
  /** Events that were not taken since the last one that was. */
  skipped: number;
}

/**
 * Decides which events to take, so that the page does not slow a busy server: events too fast for
 * people to follow are skipped and counted. Each socket has a token bucket, and all of them bucket
 * another.
 */
export class EventLimiter implements Disposable {
  readonly #buckets = new Map<number, Bucket>();
  readonly #timer: ReturnType<typeof setInterval>;
  #tokens = BURST;
  #tick = 0;

  constructor() {
    this.#timer = setInterval(() => {
      this.#tick++;
      this.#tokens = Math.min(BURST, this.#tokens + PER_TICK);
    }, TICK_MS);
  }

  /** Whether the next event of a socket is taken. */
  takes(socket: number, call: SocketCall): boolean {
    const known = this.#buckets.get(socket);
    if (known !== undefined && always.includes(call)) return true;
    if (call === "close" || !this.wouldTake(socket)) return false;
    const bucket = known ?? this.#begin(socket);
    this.#refill(bucket);
    bucket.tokens--;
    this.#tokens--;
    return true;
  }

  /** Whether the next event of a socket would be taken; if not, it is counted as skipped. */
  wouldTake(socket: number): boolean {
    const bucket = this.#buckets.get(socket);
    const isSpent = bucket !== undefined && bucket.tokens === 0 && bucket.tick === this.#tick;
    if (this.#tokens > 0 && !isSpent) return true;
    if (bucket !== undefined) bucket.skipped++;
    return false;
  }

  /** Returns how many events of a socket were skipped since the last one, and resets the count. */
  skipped(socket: number): number {
    const bucket = this.#buckets.get(socket);
    if (bucket === undefined) return 0;
    const { skipped } = bucket;
    bucket.skipped = 0;
    return skipped;
  }

  /** Forgets a socket that is closed. */
  forget(socket: number): void {
    this.#buckets.delete(socket);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #begin(socket: number): Bucket {
    const bucket = { tokens: BURST_OF_ONE, tick: this.#tick, skipped: 0 };
    this.#buckets.set(socket, bucket);
    return bucket;
  }

  #refill(bucket: Bucket): void {
    const earned = (this.#tick - bucket.tick) * PER_TICK_OF_ONE;
    bucket.tokens = Math.min(BURST_OF_ONE, bucket.tokens + earned);
    bucket.tick = this.#tick;
  }
}
