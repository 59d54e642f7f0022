import { calculate, integer, isShownAs, parseRational } from "../../../talk/rational.ts";
import type { Operator, Rational } from "../../../talk/talk.ts";

/** Numbers, and words of at least four letters. */
const VALUE = /(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\d)|(?<![A-Za-z])[A-Za-z]{4,}(?![A-Za-z])/g;

/** What says in a request or its reply that the request's numbers are calculated with so. */
const operations: readonly [operator: Operator, said: RegExp][] = [
  ["+", /\+|\b(?:add|sum|plus)/i],
  ["-", /-|\b(?:sub|minus|dif)/i],
  ["*", /\*|(?<![A-Za-z])x(?![A-Za-z])|\b(?:mul|times|prod)/i],
  ["/", /\/|:|\b(?:div|over|quot)/i],
  ["//", /\/|:|\b(?:div|over|quot)/i],
  ["%", /%|\b(?:mod|rest|rem)/i],
];

/** Characters of a request that are looked at with each of its replies, of which a chat has many. */
const MAX_REQUEST = 1_024;
/** Numbers that are summed up at most. */
const MAX_TERMS = 20;

/** A number or a word in a text. */
export interface Found {
  readonly start: number;
  readonly literal: string;
}

/** How a value may follow. What is repeated may be of the request, or was said earlier. */
type Kind = Repeated | `earlier ${Repeated}` | "length" | "total" | "count" | Operator;
type Repeated = "same" | "upper" | "lower" | "reverse";

/** A way in which a value of a reply may follow from what clients said. */
export interface Derivation {
  readonly kind: Kind;
  /** The literals that it follows from. */
  readonly of: readonly string[];
  readonly form: (...names: string[]) => string;
  /** Whether it is easily so by chance: a digit, what was said earlier, or what nobody asked for. */
  readonly isWeak: boolean;
}

/** A way to calculate a value. */
interface Result extends Derivation {
  readonly result: Rational;
}

/** A value of a reply, and how it may follow from what clients said. */
export interface DerivedValue extends Found {
  readonly ways: readonly Derivation[];
}

/** What clients have said so far, and what follows from it. */
export class ClientValues {
  /** By the text of a value, of which word or number it may be a repetition, one of each kind. */
  readonly #repeated = new Map<string, Map<Repeated, string>>();
  /** All numbers. */
  readonly #numbers: string[] = [];
  #request = "";
  /** The values of the request. */
  #asked: string[] = [];
  #replies = 0;

  /** The values of the request. */
  get asked(): readonly string[] {
    return this.#asked;
  }

  /** What was said since the server's latest turn, or the beginning of that. */
  get request(): string {
    return this.#request;
  }

  /**
   * @param values Those in the text.
   * @param isNew Whether it begins a request.
   */
  add(text: string, values: readonly Found[], isNew: boolean): void {
    const before = isNew ? "" : `${this.#request} `;
    this.#request = (before + text).slice(0, MAX_REQUEST);
    if (isNew) this.#asked = [];
    for (const { start, literal } of values) {
      if (before.length + start < MAX_REQUEST) this.#asked.push(literal);
      if (isNumber(literal)) {
        this.#numbers.push(literal);
        this.#mayBe(literal, "same", literal);
        continue;
      }
      // A drawn word has small letters: `lower` changes it no more than this one.
      if (literal !== literal.toLowerCase()) this.#mayBe(literal.toLowerCase(), "lower", literal);
      this.#mayBe(literal.toUpperCase(), "upper", literal);
      this.#mayBe([...literal].reverse().join(""), "reverse", literal);
      this.#mayBe(literal, "same", literal);
    }
  }

  #mayBe(text: string, kind: Repeated, literal: string): void {
    const kinds = this.#repeated.get(text) ?? new Map<Repeated, string>();
    this.#repeated.set(text, kinds.set(kind, literal));
  }

  /** The values of a reply. */
  valuesOf(reply: string): DerivedValue[] {
    this.#replies++;
    const asked = new Set(this.#asked);
    const results = [...this.#calculated(reply), ...this.#total()];
    const words = [...asked].filter((one) => !isNumber(one));
    const lengths = Map.groupBy(words, ({ length }) => String(length));
    return valuesIn(reply).map((value) => {
      const { literal } = value;
      const repeated = this.#repetitions(literal, asked);
      if (!isNumber(literal)) return { ...value, ways: repeated };
      const ways = results.filter(({ kind, result }) =>
        // 2 may be either quotient; 2.0 is not what `//` gives.
        isShownAs(result, literal) && !(kind === "//" && literal.includes("."))
      );
      // Two words are enough to see that it may be either's.
      const measured = (lengths.get(literal) ?? []).slice(0, 2).map(lengthOf);
      const count = literal === String(this.#replies) ? [counted] : [];
      return { ...value, ways: [...repeated, ...ways, ...measured, ...count] };
    });
  }

  #repetitions(text: string, asked: ReadonlySet<string>): Derivation[] {
    return [...this.#repeated.get(text) ?? []].map(([kind, literal]) => {
      const isEarlier = !asked.has(literal);
      return {
        kind: isEarlier ? `earlier ${kind}` : kind,
        of: [literal],
        form: (name) => kind === "same" ? name : `${kind}(${name})`,
        isWeak: isEarlier || literal.length === 1,
      };
    });
  }

  /** What comes of the first two numbers of the request. */
  #calculated(reply: string): Result[] {
    const [left = "", right = ""] = this.#asked.filter(isNumber);
    const [a, b] = [parseRational(left), parseRational(right)];
    if (a === undefined || b === undefined) return [];
    return operations.flatMap(([operator, words]) => {
      const isSaid = words.test(this.#request) || words.test(reply);
      const result = isSaid ? calculate(a, operator, b) : undefined;
      if (result === undefined) return [];
      const form = (a = "", b = ""): string => `${a} ${operator} ${b}`;
      return [{ kind: operator, of: [left, right], form, isWeak: false, result }];
    });
  }

  /** The sum of all numbers so far, of several requests. */
  #total(): Result[] {
    const all = this.#numbers;
    if (all.length > MAX_TERMS) return [];
    const result = all.map(parseRational).reduce(
      (sum, number) => sum && number && calculate(sum, "+", number),
      integer(0n),
    );
    if (result === undefined) return [];
    const form = (...names: string[]): string => names.join(" + ");
    return [{ kind: "total", of: [...all], form, isWeak: true, result }];
  }
}

/** How many replies there were. */
const counted: Derivation = { kind: "count", of: [], form: () => "", isWeak: true };

const lengthOf = (word: string): Derivation => ({
  kind: "length",
  of: [word],
  form: (name) => `length(${name})`,
  isWeak: true,
});

export function valuesIn(text: string): Found[] {
  return [...text.matchAll(VALUE)].map(({ index, 0: literal }) => ({ start: index, literal }));
}

export const isNumber = (literal: string): boolean => /\d$/.test(literal);

/** Whether a word says that something is to be calculated. */
export const saysOperation = (word: string): boolean =>
  operations.some(([, said]) => said.test(word));
