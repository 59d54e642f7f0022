import { escapeBytes } from "../../../talk/escape.ts";
import { type Derivation, type Found, isNumber } from "./derive.ts";
import type { Evidence, JudgedReply, JudgedValue } from "./evidence.ts";
import { letterOf } from "./letters.ts";
import type { Turn } from "./recording.ts";
import { textsOf } from "./turn_texts.ts";

const encoder = new TextEncoder();

/** A number or a word that becomes a value. */
interface Place extends Found {
  readonly from: Source;
  /** Whether it needs no other place that has the same name. */
  readonly isSure: boolean;
}

/** What a value follows from, and how. */
type Source = Pick<Derivation, "of" | "form">;

/** What the conversations of a file share. */
export interface FreshFile {
  readonly evidence: Evidence;
  /** The ranges of numbers, by their names: a name has one in the whole file. */
  readonly ranges: Map<string, string>;
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
export function freshTurns(
  turns: readonly Turn[],
  { evidence, ranges }: FreshFile,
  plain: ReadonlySet<string>,
): FreshTurn[] {
  const { prefix, texts } = textsOf(turns);
  const answers = placesIn(evidence.judge(turns), new Set(plain));
  const names = new Names([...answers.values()].flat().map(({ from }) => from), ranges);
  return turns.map(({ from, bytes }, index) => {
    const text = texts[index];
    if (text === undefined || bytes.length === 0) return { text: escapeBytes(bytes), named: [] };
    const places = from === "server"
      ? answers.get(index) ?? []
      : names.placesIn(evidence.valuesIn(text));
    const length = prefix === 0 ? "" : `{length as u${8 * prefix}}`;
    return { text: length + withNames(text, places, names), named: places.flatMap(literalsOf) };
  });
}

const literalsOf = ({ literal, from }: Place): readonly string[] => [literal, ...from.of];

/** The places in each reply that names stand for. */
function placesIn(
  replies: ReadonlyMap<number, JudgedReply>,
  plain: Set<string>,
): ReadonlyMap<number, readonly Place[]> {
  const answers = [...replies].map(([index, reply]) => {
    reply.plain.forEach((literal) => plain.add(literal));
    return [index, reply.values.flatMap((value) => placeOf(value, plain) ?? [])] as const;
  });
  const sure = answers.flatMap(([, places]) => places).filter(({ isSure }) => isSure);
  leaveOut(sure, plain);
  const isPlain = (place: Place): boolean => literalsOf(place).some((one) => plain.has(one));
  const named = new Set(sure.filter((place) => !isPlain(place)).flatMap(({ from }) => from.of));
  const isNamed = (place: Place): boolean =>
    !isPlain(place) && place.from.of.every((one) => named.has(one));
  return new Map(answers.map(([index, places]) => [index, places.filter(isNamed)]));
}

/** The place of a value; `undefined` if it has none, where it may also add to what must stay. */
function placeOf(value: JudgedValue, plain: Set<string>): Place | undefined {
  const ways = [...value.sure, ...value.weak].filter(({ of }) => of.length > 0);
  const [from] = ways;
  if (from === undefined) return undefined;
  const isClear = new Set(ways.map(({ of, form }) => form(...of))).size === 1;
  const isSure = value.sure.length > 0;
  if (isClear && !value.isOwn && (isSure || isLikely(from))) return { ...value, from, isSure };
  // With other values it might be something else: all that it may follow from stays as it is.
  for (const { of } of ways) of.forEach((literal) => plain.add(literal));
  return undefined;
}

/** Whether what is repeated has the name that it has elsewhere, if it has one. */
function isLikely({ kind, of: [literal = ""] }: Derivation): boolean {
  return kind === "same" || (kind === "earlier same" && literal.length > 1);
}

/** Where a place has no name, nothing that it follows from has one. */
function leaveOut(places: readonly Place[], plain: Set<string>): void {
  const byLiteral = new Map<string, Place[]>();
  for (const place of places) {
    for (const one of new Set(literalsOf(place))) {
      byLiteral.set(one, byLiteral.get(one) ?? []);
      byLiteral.get(one)?.push(place);
    }
  }
  // What is added meanwhile has its turn, too.
  for (const literal of plain) {
    for (const { from } of byLiteral.get(literal) ?? []) from.of.forEach((one) => plain.add(one));
  }
}

/** The names of values: letters for numbers, `word`, `word2` for words, as clients say them. */
class Names {
  readonly #wanted: ReadonlySet<string>;
  readonly #calculated: ReadonlySet<string>;
  readonly #names = new Map<string, string>();
  readonly #ranges: FreshFile["ranges"];
  #letters = 0;
  #words = 0;

  constructor(sources: readonly Source[], ranges: FreshFile["ranges"]) {
    this.#ranges = ranges;
    this.#wanted = new Set(sources.flatMap(({ of }) => of));
    this.#calculated = new Set(sources.filter(({ of }) => of.length > 1).flatMap(({ of }) => of));
  }

  of(literal: string): string {
    return this.#names.get(literal) ?? literal;
  }

  /** The values that a client says: one that is said for the first time gets its name. */
  placesIn(values: readonly Found[]): Place[] {
    return values.filter(({ literal }) => this.#wanted.has(literal)).map((one) => ({
      ...one,
      from: { of: [one.literal], form: this.#nameOf(one.literal) },
      isSure: true,
    }));
  }

  #nameOf(literal: string): (name: string) => string {
    if (this.#names.has(literal)) return (name) => name;
    if (!isNumber(literal)) {
      this.#names.set(literal, ++this.#words === 1 ? "word" : `word${this.#words}`);
      return (name) => name;
    }
    const range = this.#calculated.has(literal) ? "" : ` ${rangeOf(literal)}`;
    this.#names.set(literal, this.#nextLetter(range));
    return (name) => `${name}${range}`;
  }

  #nextLetter(range: string): string {
    while (true) {
      const letter = letterOf(this.#letters++);
      if ((this.#ranges.get(letter) ?? range) !== range) continue;
      this.#ranges.set(letter, range);
      return letter;
    }
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

/** A space at its end is in sight, since a value follows, or is written as `\x20` at a line's end. */
const escapeText = (text: string): string => escapeBytes(encoder.encode(`${text}.`)).slice(0, -1);
