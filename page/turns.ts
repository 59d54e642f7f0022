import { delay } from "@std/async/delay";

/** Milliseconds of work before others get a turn of the event loop. */
const SLICE_MS = 5;

/**
 * Runs pieces of work one after another, with a turn of the event loop whenever a slice of time is
 * used up, so that many long works hold others up no longer than one slice does.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();
  #until = 0;

  async run<T>(piece: () => T): Promise<T> {
    const done = this.#last.then(() => this.#rest()).then(piece);
    this.#last = done.then(() => {}, () => {});
    return await done;
  }

  async #rest(): Promise<void> {
    if (performance.now() < this.#until) return;
    await delay(0);
    this.#until = performance.now() + SLICE_MS;
  }
}
