/** How many are remembered. */
const MOST = 1_024;

/** Facts about those who were last heard of: bounded, as names can be made up without end. */
export class Remembered<Fact> {
  /** The latest last. */
  readonly #facts = new Map<string, Fact>();

  get(name: string): Fact | undefined {
    return this.#facts.get(name);
  }

  set(name: string, fact: Fact): void {
    this.#facts.delete(name);
    this.#facts.set(name, fact);
    const [oldest] = this.#facts.keys();
    if (this.#facts.size > MOST && oldest !== undefined) this.#facts.delete(oldest);
  }
}
