import type { WireEvent } from "../../ladder/wire.ts";

/** Events that may wait to be shown: with what is kept of their data, some 16 MB at most. */
const MOST_WAITING = 4_096;
/** Milliseconds after which events are shown: what passes comes first. */
const WAIT_MS = 10;
/** Events that are shown without a break for what passes: less than an output holds. */
const BATCH = 64;

/** Where events are shown. */
export interface EventView {
  show(events: readonly WireEvent[]): void;
  /** Resolves once what was shown has been written. */
  written(): Promise<void>;
}

/**
 * Events on their way from what passes bytes on to what shows them, so that nothing is drawn or
 * written while bytes wait. Those that find no room, as their reader is slow or stalled, are left
 * out, and counted.
 */
export class EventQueue {
  /** Events that were left out. */
  dropped = 0;
  readonly #view: EventView;
  #waiting: WireEvent[] = [];
  #isShowing = false;

  constructor(view: EventView) {
    this.#view = view;
  }

  readonly add = (event: WireEvent): void => {
    if (this.#waiting.length >= MOST_WAITING) {
      this.dropped++;
      return;
    }
    this.#waiting.push(event);
    if (!this.#isShowing) this.#showSoon();
  };

  /** Shows what waits, now. */
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
