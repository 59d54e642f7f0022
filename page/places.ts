/** A limited number of places, such as those of viewers. */
export class Places {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place until its scope ends; `undefined` if there is none. */
  take(): Disposable | undefined {
    if (this.#taken === this.#max) return undefined;
    this.#taken++;
    return { [Symbol.dispose]: () => void this.#taken-- };
  }
}
