/** How many facts are kept. */
const MAX_FACTS = 1_024;

/** The most recent facts by name: bounded, since a sender can make up any number of names. */
export class Remembered<Fact> {
  /** Most recent last. */
  readonly #facts = new Map<string, Fact>();

  get(name: string): Fact | undefined {
    return this.#facts.get(name);
  }

  set(name: string, fact: Fact): void {
    this.#facts.delete(name);
    this.#facts.set(name, fact);
    const [oldest] = this.#facts.keys();
    if (this.#facts.size > MAX_FACTS && oldest !== undefined) this.#facts.delete(oldest);
  }
}
