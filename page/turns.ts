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
    const done = this.#last.then(piece);
    this.#last = done.then(() => this.#rest(), () => this.#rest());
    return await done;
  }

  async #rest(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#until = performance.now() + SLICE_MS;
  }
}
