import type { WireEvent } from "../../ladder/wire.ts";

/** Events that may wait to be shown: with what is kept of their data, some 16 MB at most. */
const MOST_WAITING = 4_096;
/** Milliseconds after which events are shown: what passes comes first. */
const WAIT_MS = 10;
/** Events that are shown without a break for what passes. */
const BATCH = 256;

/**
 * Events on their way from what passes bytes on to what shows them, so that nothing is drawn or
 * written while bytes wait. Those that find no room are left out, and counted.
 */
export class EventQueue {
  /** Events that were left out. */
  dropped = 0;
  readonly #show: (events: readonly WireEvent[]) => void;
  #waiting: WireEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(show: (events: readonly WireEvent[]) => void) {
    this.#show = show;
  }

  readonly add = (event: WireEvent): void => {
    if (this.#waiting.length >= MOST_WAITING) {
      this.dropped++;
      return;
    }
    this.#waiting.push(event);
    this.#timer ??= setTimeout(() => this.#showSome(), WAIT_MS);
  };

  /** Shows what waits, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length > 0) this.#show(events);
  }

  #showSome(): void {
    const events = this.#waiting.splice(0, BATCH);
    this.#timer = this.#waiting.length > 0 ? setTimeout(() => this.#showSome()) : undefined;
    this.#show(events);
  }
}
