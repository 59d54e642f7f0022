/**
 * Finds the places where a literal occurs in bytes that are still arriving, each looked at once:
 * the algorithm of Knuth, Morris and Pratt.
 */
export class LiteralFinder {
  readonly #literal: Uint8Array;
  readonly #fallbacks: Uint32Array;
  /** How many bytes before `#at` are the beginning of the literal. */
  #matched = 0;
  #at: number;

  /**
   * @param literal At least one byte.
   * @param fallbacks {@linkcode fallbacksOf} it.
   */
  constructor(literal: Uint8Array, fallbacks: Uint32Array, from: number) {
    this.#literal = literal;
    this.#fallbacks = fallbacks;
    this.#at = from;
  }

  /** Whether the last of the bytes begin the literal. */
  get isPartial(): boolean {
    return this.#matched > 0;
  }

  /**
   * The next place from `from` on, at most `limit`; `undefined` if there is none in the bytes so
   * far. `from` must not decrease.
   */
  next(bytes: Uint8Array, from: number, limit: number): number | undefined {
    const literal = this.#literal;
    while (this.#at < bytes.length && this.#at - this.#matched <= limit) {
      if (this.#matched === 0) {
        const first = bytes.indexOf(literal[0] ?? 0, Math.max(this.#at, from));
        if (first < 0 || first > limit) {
          this.#at = Math.min(first < 0 ? bytes.length : first, limit + 1);
          return undefined;
        }
        this.#at = first;
      }
      const byte = bytes[this.#at];
      while (this.#matched > 0 && literal[this.#matched] !== byte) {
        this.#matched = this.#fallbacks[this.#matched - 1] ?? 0;
      }
      if (literal[this.#matched] === byte) this.#matched++;
      this.#at++;
      if (this.#matched === literal.length) {
        this.#matched = this.#fallbacks[literal.length - 1] ?? 0;
        const start = this.#at - literal.length;
        if (start >= from && start <= limit) return start;
      }
    }
    return undefined;
  }
}

/** For each beginning of the literal, the length of its longest proper end that is a beginning too. */
export function fallbacksOf(literal: Uint8Array): Uint32Array {
  const fallbacks = new Uint32Array(literal.length);
  let length = 0;
  for (let index = 1; index < literal.length; index++) {
    while (length > 0 && literal[length] !== literal[index]) length = fallbacks[length - 1] ?? 0;
    if (literal[length] === literal[index]) length++;
    fallbacks[index] = length;
  }
  return fallbacks;
}
