import { escapeBytes } from "../../../talk/escape.ts";
import { calculate, isShownAs, parseRational } from "../../../talk/rational.ts";
import type { Operator } from "../../../talk/talk.ts";
import { letterOf } from "./letters.ts";
import type { Turn } from "./recording.ts";

/** Numbers, and words of at least four letters. */
const VALUE = /(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\d)|(?<![A-Za-z])[A-Za-z]{4,}(?![A-Za-z])/g;
/** What says in a request that its numbers are to be calculated with so. */
const operations: readonly [operator: Operator, said: RegExp][] = [
  ["+", /\+|add|sum|plus/i],
  ["-", /-|sub|minus|dif/i],
  ["*", /\*|x|mul|times|prod/i],
  ["/", /\/|:|div|over|quot/i],
  ["//", /\/|:|div|over|quot/i],
  ["%", /%|mod|rest|rem/i],
];

/** Numbers that are summed up at most. */
const MAX_TERMS = 20;

const encoder = new TextEncoder();

/** How a value follows from what clients said: from one literal, or from two numbers. */
interface Derivation {
  readonly of: readonly string[];
  readonly form: (...names: string[]) => string;
}

/** A number or a word in a text. */
interface Found {
  readonly start: number;
  readonly literal: string;
}

/** One that becomes a value. */
interface Place extends Found {
  readonly from: Derivation;
}

/** What a turn says, as a file has it. */
export interface FreshTurn {
  readonly text: string;
  /** What names in it stand for, or what that is calculated from. */
  readonly named: readonly string[];
}

/**
 * Turns with names for values: what a server's turn shows must follow from what clients said
 * before it, so that other values can be drawn.
 *
 * @param plain What no name stands for.
 */
export function freshTurns(turns: readonly Turn[], plain: ReadonlySet<string>): FreshTurn[] {
  const prefix = lengthPrefixOf(turns);
  const texts = turns.map(({ bytes }) => textOf(bytes.subarray(prefix)));
  const said = new Said();
  const answers = turns.map(({ from }, index) => {
    const text = texts[index] ?? "";
    if (from === "server") {
      return said.placesIn(text).filter((place) =>
        !literalsOf(place).some((one) => plain.has(one))
      );
    }
    said.add(text, turns[index - 1]?.from === "server");
    return [];
  });
  const names = new Names(answers.flat().map(({ from }) => from));
  return turns.map(({ from, bytes }, index) => {
    const text = texts[index];
    if (text === undefined || bytes.length === 0) return { text: escapeBytes(bytes), named: [] };
    const places = from === "server" ? answers[index] ?? [] : names.placesIn(text);
    const length = prefix === 0 ? "" : `{length as u${8 * prefix}}`;
    return { text: length + withNames(text, places, names), named: places.flatMap(literalsOf) };
  });
}

const literalsOf = ({ literal, from }: Place): readonly string[] => [literal, ...from.of];

/** What clients have said so far, and what follows from it. */
class Said {
  readonly #known = new Map<string, Derivation>();
  /** Since the server's latest turn. */
  #request = "";
  /** All numbers. */
  readonly #numbers: string[] = [];

  add(text: string, isNew: boolean): void {
    this.#request = isNew ? text : `${this.#request} ${text}`;
    for (const { literal } of valuesIn(text)) {
      if (isNumber(literal)) this.#numbers.push(literal);
      const forms: Record<string, string> = isNumber(literal) ? {} : {
        [literal.toUpperCase()]: "upper",
        [literal.toLowerCase()]: "lower",
        [[...literal].reverse().join("")]: "reverse",
      };
      for (const [changed, name] of Object.entries(forms)) {
        if (this.#known.has(changed)) continue;
        this.#known.set(changed, { of: [literal], form: (word) => `${name}(${word})` });
      }
      this.#known.set(literal, { of: [literal], form: (name) => name });
    }
  }

  placesIn(text: string): Place[] {
    const values = valuesIn(text);
    return values.flatMap(({ start, literal }) => {
      const known = this.#known.get(literal);
      // A single digit may be the same by chance: it is rather calculated.
      const isPlain = !isNumber(literal) || (known !== undefined && literal.length > 1);
      const from = isPlain ? known : this.#calculated(literal) ?? known ?? this.#total(literal) ??
        this.#lengthOf(literal, values);
      return from === undefined ? [] : [{ start, literal, from }];
    });
  }

  #calculated(literal: string): Derivation | undefined {
    const [left, right] = valuesIn(this.#request).map(({ literal }) => literal).filter(isNumber);
    const [a, b] = [parseRational(left ?? ""), parseRational(right ?? "")];
    if (left === undefined || right === undefined || !a || !b) return undefined;
    const found = operations.find(([operator, words]) => {
      const result = words.test(this.#request) ? calculate(a, operator, b) : undefined;
      return result !== undefined && isShownAs(result, literal);
    });
    return found && { of: [left, right], form: (a, b) => `${a} ${found[0]} ${b}` };
  }

  /** The sum of all numbers so far, of several requests. */
  #total(literal: string): Derivation | undefined {
    const all = this.#numbers;
    if (all.length < 2 || all.length > MAX_TERMS) return undefined;
    const total = all.map(parseRational).reduce((sum, number) =>
      sum && number && calculate(sum, "+", number)
    );
    if (total === undefined || !isShownAs(total, literal)) return undefined;
    return { of: all, form: (...names) => names.join(" + ") };
  }

  /** The length of a word of the request that the server says as well. */
  #lengthOf(literal: string, values: readonly Found[]): Derivation | undefined {
    const word = valuesIn(this.#request).find((one) =>
      !isNumber(one.literal) && String(one.literal.length) === literal &&
      values.some((said) => said.literal === one.literal)
    );
    return word && { of: [word.literal], form: (name) => `length(${name})` };
  }
}

/** The names of values: letters for numbers, `word`, `word2` for words, as clients say them. */
class Names {
  readonly #wanted: ReadonlySet<string>;
  readonly #calculated: ReadonlySet<string>;
  readonly #names = new Map<string, string>();
  #numbers = 0;

  constructor(derivations: readonly Derivation[]) {
    this.#wanted = new Set(derivations.flatMap(({ of }) => of));
    this.#calculated = new Set(
      derivations.filter(({ of }) => of.length > 1).flatMap(({ of }) => of),
    );
  }

  of(literal: string): string {
    return this.#names.get(literal) ?? literal;
  }

  /** The values that a client says: one that is said for the first time gets its name. */
  placesIn(text: string): Place[] {
    return valuesIn(text).filter(({ literal }) => this.#wanted.has(literal)).map((one) => ({
      ...one,
      from: { of: [one.literal], form: this.#nameOf(one.literal) },
    }));
  }

  #nameOf(literal: string): (name: string) => string {
    if (this.#names.has(literal)) return (name) => name;
    const index = isNumber(literal) ? this.#numbers++ : this.#names.size - this.#numbers;
    this.#names.set(
      literal,
      isNumber(literal) ? letterOf(index) : `word${index + 1}`.replace(/^word1$/, "word"),
    );
    const hasRange = isNumber(literal) && !this.#calculated.has(literal);
    return (name) => hasRange ? `${name} ${rangeOf(literal)}` : name;
  }
}

function withNames(text: string, places: readonly Place[], names: Names): string {
  let written = "";
  let at = 0;
  for (const { start, literal, from } of places) {
    const value = from.form(...from.of.map((literal) => names.of(literal)));
    written += `${escapeText(text.slice(at, start))}{${value}}`;
    at = start + literal.length;
  }
  return written + escapeText(text.slice(at));
}

/** Numbers with as many digits: a number that is only repeated would be drawn as a word. */
function rangeOf(literal: string): string {
  const [whole = "", decimals = ""] = literal.replace("-", "").split(".");
  const point = decimals === "" ? "" : ".";
  const low = (whole.length > 1 ? "1".padEnd(whole.length, "0") : "0") + point +
    "0".repeat(decimals.length);
  return `${low}..${"9".repeat(whole.length)}${point}${"9".repeat(decimals.length)}`;
}

function valuesIn(text: string): Found[] {
  return [...text.matchAll(VALUE)].map(({ index, 0: literal }) => ({ start: index, literal }));
}

const isNumber = (literal: string): boolean => /\d$/.test(literal);

/** A space at its end is in sight, since a value follows, or is written as `\x20` at a line's end. */
const escapeText = (text: string): string => escapeBytes(encoder.encode(`${text}.`)).slice(0, -1);

/** The text of bytes; `undefined` if they are not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The size of the length, in network order, that all turns begin with; 0 if they don't. */
function lengthPrefixOf(turns: readonly Turn[]): number {
  const said = turns.filter(({ bytes }) => bytes.length > 0);
  if (said.length < 2) return 0;
  return [4, 2, 1].find((size) =>
    said.every(({ bytes }) => {
      const length = bytes.subarray(0, size).reduce((sum, byte) => sum * 256 + byte, 0);
      return bytes.length > size && length === bytes.length - size;
    })
  ) ?? 0;
}
