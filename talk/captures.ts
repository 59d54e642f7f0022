import type { Known, Value } from "./value.ts";

/** Where the length of a word is kept that is said before the word. */
export const lengthKey = (name: string): string => `length(${name})`;

/** The values known before a match, and those that it has found so far, which can be undone. */
export class Captures implements Known {
  readonly #known: Known;
  readonly #found = new Map<string, Value>();
  /** The names of those found, oldest first. */
  readonly #names: string[] = [];

  constructor(known: Known) {
    this.#known = known;
  }

  get count(): number {
    return this.#names.length;
  }

  get(name: string): Value | undefined {
    return this.#found.get(name) ?? this.#known.get(name);
  }

  add(name: string | undefined, value: Value): void {
    if (name === undefined) return;
    if (!this.#found.has(name)) this.#names.push(name);
    this.#found.set(name, value);
  }

  /** Takes over what another match has found. */
  addAll(other: Captures): void {
    for (const [name, value] of other.#found) this.add(name, value);
  }

  /** Forgets all but the oldest `count`. */
  undo(count: number): void {
    for (const name of this.#names.splice(count)) this.#found.delete(name);
  }

  /** What was found, by the names that the file gives, independent of the bytes that were matched. */
  said(): Map<string, Value> {
    const said = new Map<string, Value>();
    for (const [name, value] of this.#found) {
      if (name.endsWith(")")) continue; // a lengthKey
      said.set(name, value.kind === "word" ? { ...value, bytes: value.bytes.slice() } : value);
    }
    return said;
  }
}
