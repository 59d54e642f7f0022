/** How many values are kept. */
const MAX_SIZE = 1_024;

/** The values set last, by their keys: bounded, since a sender can make up any number of keys. */
export class LruMap<Value> {
  /** Set last, last. */
  readonly #values = new Map<string, Value>();

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > MAX_SIZE && oldest !== undefined) this.#values.delete(oldest);
  }
}
