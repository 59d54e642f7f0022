import {
  ClientValues,
  type Derivation,
  type DerivedValue,
  type Found,
  isNumber,
} from "./derive.ts";
import { formOf, Keywords, requestForm } from "./request_forms.ts";
import type { Turn } from "./recording.ts";
import { textsOf } from "./turn_texts.ts";

/** A request and the values of its reply. */
interface Exchange {
  readonly request: string;
  /** The values of the request. */
  readonly asked: readonly string[];
  readonly reply: string;
  readonly values: readonly DerivedValue[];
}

/** A value of a reply, and how it follows from what clients said, unless that is chance. */
export interface JudgedValue extends Found {
  /** Whether the server says it by itself, too. */
  readonly isOwn: boolean;
  /** Nothing speaks against these. */
  readonly sure: readonly Derivation[];
  /** Nothing has varied yet that these follow from, or they are easily so by chance. */
  readonly weak: readonly Derivation[];
}

/** A reply, and what in its exchange must stay as it is. */
export interface JudgedReply {
  readonly values: readonly JudgedValue[];
  readonly plain: readonly string[];
}

/** What the exchanges of one form have in common. */
interface Form {
  /** Those that differ. */
  readonly exchanges: Set<string>;
  /** For each value of the reply, what it is in all of them, and the different sources of that. */
  readonly places: Place[];
}

interface Place {
  readonly kinds: Map<Derivation["kind"], Set<string>>;
  readonly literals: Set<string>;
}

/**
 * What a whole recording says about how the values of replies follow from requests. A likeness is
 * chance if another exchange of the same form does not have it, or if the server also says the
 * value without having heard it.
 */
export class Evidence {
  readonly #keywords = new Keywords();
  readonly #exchanges = new Map<readonly Turn[], ReadonlyMap<number, Exchange>>();
  readonly #forms = new Map<string, Form>();
  readonly #formOf = new Map<Exchange, Form>();
  /** What the server has said without having heard it. */
  readonly #own = new Set<string>();

  /** @param conversations All that were recorded. */
  constructor(conversations: readonly (readonly Turn[])[]) {
    for (const turns of conversations) this.#keywords.learn(turns);
    for (const turns of conversations) this.#exchanges.set(turns, this.#exchangesOf(turns));
    const exchanges = [...this.#exchanges.values()].flatMap((all) => [...all.values()]);
    for (const { values } of exchanges) {
      for (const { literal, ways } of values) if (ways.length === 0) this.#own.add(literal);
    }
    for (const exchange of exchanges) this.#compare(exchange);
  }

  /** The values that a client says: words that are the same in all its requests are none. */
  valuesIn(request: string): Found[] {
    return this.#keywords.valuesIn(request);
  }

  /** The server's turns, by their indexes. */
  judge(turns: readonly Turn[]): ReadonlyMap<number, JudgedReply> {
    const exchanges = this.#exchanges.get(turns) ?? new Map<number, Exchange>();
    return new Map([...exchanges].map(([index, exchange]) => [index, this.#judged(exchange)]));
  }

  #exchangesOf(turns: readonly Turn[]): ReadonlyMap<number, Exchange> {
    const { texts } = textsOf(turns);
    const said = new ClientValues();
    const exchanges = new Map<number, Exchange>();
    for (const [index, { from }] of turns.entries()) {
      const text = texts[index] ?? "";
      if (from === "server") {
        const { request, asked } = said;
        exchanges.set(index, { request, asked, reply: text, values: said.valuesOf(text) });
      } else said.add(text, this.valuesIn(text), turns[index - 1]?.from !== "client");
    }
    return exchanges;
  }

  #compare(exchange: Exchange): void {
    const name = this.#nameOfForm(exchange);
    const text = `${exchange.request}\0${exchange.reply}`;
    const form = this.#forms.get(name) ?? { exchanges: new Set(), places: [] };
    this.#forms.set(name, form);
    this.#formOf.set(exchange, form);
    if (form.exchanges.has(text)) return;
    form.exchanges.add(text);
    const places = exchange.values.map(({ literal, ways }) => ({
      kinds: new Map(ways.map(({ kind, of }) => [kind, new Set([[...new Set(of)].join(" ")])])),
      literals: new Set([literal]),
    }));
    if (form.exchanges.size === 1) return void form.places.push(...places);
    form.places.forEach(({ kinds, literals }, index) => {
      const other = places[index];
      other?.literals.forEach((one) => literals.add(one));
      for (const [kind, sources] of kinds) {
        const more = other?.kinds.get(kind);
        if (more === undefined) kinds.delete(kind);
        else more.forEach((source) => sources.add(source));
      }
    });
  }

  #judged(exchange: Exchange): JudgedReply {
    const { places, exchanges } = this.#formOf.get(exchange) as Form;
    const values = exchange.values.map(({ start, literal, ways }, index) => {
      const { kinds, literals } = places[index] as Place;
      const isSure = ({ kind, isWeak }: Derivation): boolean => {
        if (isWeak && literals.size === 1) return false;
        return exchanges.size === 1 || (kinds.get(kind)?.size ?? 0) > 1;
      };
      const left = ways.filter(({ kind }) => kinds.has(kind));
      const { sure = [], weak = [] } = Object.groupBy(left, (way) => isSure(way) ? "sure" : "weak");
      return { start, literal, isOwn: this.#own.has(literal), sure, weak };
    });
    const unknown = places.filter(({ kinds }) => kinds.size === 0);
    // What varies in an unknown way may depend on any value of the request.
    if (unknown.some(({ literals }) => literals.size > 1)) return { values, plain: exchange.asked };
    const isResult = (literal: string): boolean => isNumber(literal) && literal.length > 1;
    const hasResult = exchanges.size === 1 &&
      unknown.some(({ literals }) => [...literals].some(isResult));
    return { values, plain: hasResult ? exchange.asked.filter(isNumber) : [] };
  }

  /** What exchanges have in common that differ in their values alone. */
  #nameOfForm({ request, reply, values }: Exchange): string {
    const derived = new Set(values.filter(({ ways }) => ways.length > 0).map((one) => one.literal));
    const isDerived = ({ literal }: Found): boolean =>
      derived.has(literal) && !this.#own.has(literal);
    return `${requestForm(request)}\0${formOf(reply, isDerived)}`;
  }
}
