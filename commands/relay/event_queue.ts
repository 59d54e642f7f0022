import type { WireEvent } from "../../ladder/wire.ts";

/** Events that may wait to be shown, and bytes of their data. */
const MAX_WAITING = 4_096;
const MAX_BYTES = 4_194_304;
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
  #bytes = 0;
  #isShowing = false;

  constructor(view: EventView) {
    this.#view = view;
  }

  readonly add = (event: WireEvent): void => {
    if (this.#waiting.length >= MAX_WAITING || this.#bytes >= MAX_BYTES) {
      this.dropped++;
      return;
    }
    this.#waiting.push(event);
    if (event.what === "data") this.#bytes += event.data.length;
    if (!this.#isShowing) this.#showSoon();
  };

  /** Shows all waiting events now. */
  flush(): void {
    this.#show(this.#waiting.length);
  }

  #show(count: number): void {
    const events = this.#waiting.splice(0, count);
    for (const event of events) this.#bytes -= event.what === "data" ? event.data.length : 0;
    if (events.length > 0) this.#view.show(events);
  }

  async #showSoon(): Promise<void> {
    this.#isShowing = true;
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    while (this.#waiting.length > 0) {
      this.#show(BATCH);
      await this.#view.written();
    }
    this.#isShowing = false;
  }
}
