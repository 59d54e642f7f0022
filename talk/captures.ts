import type { Value, Values } from "./value.ts";

/** Where the length of a word is kept that is said before the word. */
export const lengthKey = (name: string): string => `length(${name})`;

/** The values known before a match, and those that it has found so far, which can be undone. */
export class Captures {
  readonly values: Map<string, Value>;
  /** The names that were given values, oldest first. */
  readonly #names: string[] = [];

  constructor(known: Values) {
    this.values = new Map(known);
  }

  get count(): number {
    return this.#names.length;
  }

  add(name: string | undefined, value: Value): void {
    if (name === undefined) return;
    if (!this.values.has(name)) this.#names.push(name);
    this.values.set(name, value);
  }

  /** Takes over what another match has found. */
  addAll(other: Captures): void {
    for (const name of other.#names) this.add(name, other.values.get(name) as Value);
  }

  /** Forgets all but the oldest `count`. */
  undo(count: number): void {
    for (const name of this.#names.splice(count)) this.values.delete(name);
  }

  /** All values by the names that the file gives them, independent of the bytes that were matched. */
  named(): Map<string, Value> {
    const named = new Map<string, Value>();
    for (const [name, value] of this.values) {
      if (name.endsWith(")")) continue; // a lengthKey
      named.set(name, value.kind === "word" ? { ...value, bytes: value.bytes.slice() } : value);
    }
    return named;
  }
}
