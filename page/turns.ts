/**
 * Runs pieces of work one after another, with a turn of the event loop between them, so that many
 * long works hold others up no longer than one piece does.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(piece: () => T): Promise<T> {
    const done = this.#last.then(piece);
    this.#last = done.then(nextTurn, nextTurn);
    return done;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
