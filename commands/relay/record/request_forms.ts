import { type Found, isNumber, saysOperation, valuesIn } from "./derive.ts";
import type { Turn } from "./recording.ts";
import { textsOf } from "./turn_texts.ts";

/** Words that are the same in all requests of a form, and therefore not values. */
export class Keywords {
  /** By the form of requests, those that differ, and the different words at each place. */
  readonly #requests = new Map<string, { texts: Set<string>; words: Set<string>[] }>();

  learn(turns: readonly Turn[]): void {
    const { texts } = textsOf(turns);
    for (const [index, { from }] of turns.entries()) {
      const text = texts[index];
      if (from === "server" || text === undefined) continue;
      const form = requestForm(text);
      const known = this.#requests.get(form) ?? { texts: new Set(), words: [] };
      this.#requests.set(form, known);
      known.texts.add(text);
      valuesIn(text).forEach(({ literal }, at) => (known.words[at] ??= new Set()).add(literal));
    }
  }

  valuesIn(text: string): Found[] {
    const { texts, words } = this.#requests.get(requestForm(text)) ?? {};
    const varies = (at: number): boolean => texts?.size === 1 || (words?.[at]?.size ?? 2) > 1;
    return valuesIn(text).filter(({ literal }, at) => isNumber(literal) || varies(at));
  }
}

/** What a request begins with says what it is, as does what is to be calculated. */
export function requestForm(request: string): string {
  return formOf(request, ({ start, literal }) => start > 0 && !saysOperation(literal));
}

/** A text with signs for its numbers, and for words that may be values. */
export function formOf(text: string, mayBeValue: (word: Found) => boolean): string {
  let form = "";
  let at = 0;
  for (const value of valuesIn(text)) {
    const { start, literal } = value;
    const sign = isNumber(literal) ? "#" : mayBeValue(value) ? "@" : literal;
    form += text.slice(at, start) + sign;
    at = start + literal.length;
  }
  return form + text.slice(at);
}
