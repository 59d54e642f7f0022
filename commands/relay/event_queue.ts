import type { WireEvent } from "../../ladder/wire.ts";

/** Events that may wait to be shown: with their data, about 16 MB at most. */
const MAX_WAITING = 4_096;
/** Milliseconds before events are shown: passing data on comes first. */
const WAIT_MS = 10;
/** Events shown without a break to pass data on: fewer than an output holds. */
const BATCH = 64;

/** Where events are shown. */
export interface EventView {
  show(events: readonly WireEvent[]): void;
  /** Resolves once what was shown has been written. */
  written(): Promise<void>;
}

/**
 * Queues events between the code that passes bytes on and the view, so that nothing is drawn or
 * written while bytes wait. When the queue is full because the reader is slow or stalled, further
 * events are dropped and counted.
 */
export class EventQueue {
  /** Events dropped so far. */
  dropped = 0;
  readonly #view: EventView;
  #waiting: WireEvent[] = [];
  #isShowing = false;

  constructor(view: EventView) {
    this.#view = view;
  }

  readonly add = (event: WireEvent): void => {
    if (this.#waiting.length >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#waiting.push(event);
    if (!this.#isShowing) this.#showSoon();
  };

  /** Shows all waiting events now. */
  flush(): void {
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length > 0) this.#view.show(events);
  }

  async #showSoon(): Promise<void> {
    this.#isShowing = true;
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    while (this.#waiting.length > 0) {
      this.#view.show(this.#waiting.splice(0, BATCH));
      await this.#view.written();
    }
    this.#isShowing = false;
  }
}
