import { Deadlines } from "../../../sockets/deadlines.ts";

/** Milliseconds between two looks at the clock. */
const INTERVAL_MS = 10;
/** Sockets that the runtime is sure to have served between two looks. */
const SERVED = 64;
/** How much longer than its time a wait may last before nothing can be concluded from it. */
const MAX_STRETCH = 10;
/** Milliseconds by which any wait may be stretched. */
const MAX_STALL_MS = 10_000;

/** Why a wait ended: its time is up, or this process was too busy to tell. */
export type WaitEnd = "time is up" | "too busy";

/**
 * The time during which probes wait for the network. It stops while this process is too
 * busy to look, so that no peer is blamed for what waited here.
 */
export class NetworkClock implements Disposable {
  readonly #deadlines = new Deadlines(INTERVAL_MS * 4);
  #waits = 0;

  /** Milliseconds on this clock; only differences mean something. */
  get time(): number {
    return this.#deadlines.now;
  }

  /**
   * Calls `over` once that many milliseconds have passed on this clock, and everything that had
   * arrived by then was delivered. Disposing the result cancels it.
   */
  after(milliseconds: number, over: (end: WaitEnd) => void): Disposable {
    const startedAt = performance.now();
    const deliveryMs = INTERVAL_MS * Math.ceil(1 + this.#waits / SERVED);
    const wait = {
      deadline: this.#deadlines.after(milliseconds + deliveryMs),
      expire: (): void => {
        wait[Symbol.dispose]();
        const took = performance.now() - startedAt;
        const limit = milliseconds * MAX_STRETCH + MAX_STALL_MS;
        over(took > limit ? "too busy" : "time is up");
      },
      [Symbol.dispose]: (): void => {
        if (this.#deadlines.delete(wait)) this.#waits--;
      },
    };
    this.#deadlines.add(wait);
    this.#waits++;
    return wait;
  }

  [Symbol.dispose](): void {
    this.#deadlines.stop();
  }
}
