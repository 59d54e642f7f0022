import { fallbacksOf, LiteralFinder } from "./find.ts";
import { CR, type Input, isDigit, isSign, LF, mayBecomeNewline, newlineAt, POINT } from "./take.ts";

const newline = Uint8Array.of(LF);

/** Where a hole in the file, `{...}` or a word that is not known, may end. */
export interface Hole {
  /** The index of its token. */
  readonly index: number;
  /** The name that it gives a value to. */
  readonly name: string | undefined;
  /** Whether it is a word: at least one byte, within a line. */
  readonly isWord: boolean;
  readonly start: number;
  /** How many captured values are older. */
  readonly captures: number;
  /** The first place that was not tried. */
  from: number;
  /** Up to where it was looked for the end of a word's line. */
  lineEnd: number;
  /** Up to where it was looked for numbers. */
  probed: number;
  finder: LiteralFinder | undefined;
}

/** A hole that was not tried yet. */
export function newHole(
  hole: Pick<Hole, "index" | "name" | "isWord" | "start" | "captures">,
): Hole {
  const { isWord, start } = hole;
  const from = isWord ? start + 1 : start;
  return { ...hole, from, lineEnd: start, probed: start, finder: undefined };
}

/** What follows a hole, and thus shows its end. */
export type Follower =
  | { readonly kind: "literal"; readonly bytes: Uint8Array }
  | { readonly kind: "newline" }
  | { readonly kind: "number" }
  /** The end of the bytes, or of a word's line. */
  | { readonly kind: "end" }
  /** It may begin anywhere. */
  | { readonly kind: "any" };

/** What can be looked for. */
type Begun = Extract<Follower, { kind: "literal" | "number" }>;

/**
 * Finds the places where holes may end: those where what follows in the file may begin.
 *
 * Each byte is looked at once for each hole, however often more arrives.
 */
export class Places {
  readonly #fallbacks = new Map<Uint8Array, Uint32Array>();

  /**
   * The next place where the hole may end; `"wait"` if that depends on what comes next, `"none"`
   * if there is none.
   *
   * @param afterNewline Whether a line end may stand between the hole and what follows.
   */
  next(
    hole: Hole,
    follower: Follower,
    input: Input,
    afterNewline: boolean,
  ): number | "wait" | "none" {
    const { bytes, isWhole } = input;
    if (hole.isWord) {
      while (hole.lineEnd < bytes.length && !isControl(bytes[hole.lineEnd] ?? 0)) hole.lineEnd++;
    }
    const limit = hole.isWord ? hole.lineEnd : bytes.length;
    const isLimited = isWhole || limit < bytes.length;
    const place = hole.from > limit
      ? undefined
      : this.#place(hole, follower, input, limit, isLimited, afterNewline);
    return place ?? (isLimited ? "none" : "wait");
  }

  #place(
    hole: Hole,
    follower: Follower,
    input: Input,
    limit: number,
    isLimited: boolean,
    afterNewline: boolean,
  ): number | "wait" | undefined {
    const { bytes } = input;
    switch (follower.kind) {
      case "any":
        if (!hole.isWord || !afterNewline) return hole.from;
        if (!isLimited || mayBecomeNewline(limit, input)) return "wait";
        // A line of the file is taken for a line, if it is one.
        return newlineAt(bytes, limit) > 0 ? limit : hole.from;
      case "end":
        return isLimited ? limit : undefined;
      case "newline": {
        if (hole.isWord) return isLimited ? limit : undefined;
        const place = this.#literal(hole, newline, input, limit);
        if (typeof place !== "number") return place;
        return place > hole.from && bytes[place - 1] === CR ? place - 1 : place;
      }
      case "literal":
      case "number":
        return hole.isWord && afterNewline
          ? this.#beyondNewline(hole, follower, input, limit)
          : this.#begin(hole, follower, input, limit);
    }
  }

  /** Like {@linkcode #begin}, where the word may also end at a line end, with what follows behind it. */
  #beyondNewline(
    hole: Hole,
    follower: Begun,
    input: Input,
    limit: number,
  ): number | "wait" | undefined {
    const { bytes, isWhole } = input;
    if (mayBecomeNewline(limit, input)) return "wait";
    const reach = limit + newlineAt(bytes, limit);
    while (true) {
      const place = this.#begin(hole, follower, input, reach);
      if (place === undefined && reach === bytes.length && !isWhole) return "wait";
      if (typeof place !== "number" || place <= limit) return place;
      if (place === reach) return limit;
    }
  }

  /** The next place where what follows begins. */
  #begin(hole: Hole, follower: Begun, input: Input, limit: number): number | "wait" | undefined {
    if (follower.kind === "literal") return this.#literal(hole, follower.bytes, input, limit);
    return nextNumber(hole, input, limit);
  }

  #literal(
    hole: Hole,
    literal: Uint8Array,
    { bytes, isWhole }: Input,
    limit: number,
  ): number | "wait" | undefined {
    if (literal.length === 0) return hole.from;
    if (hole.finder === undefined) {
      let fallbacks = this.#fallbacks.get(literal);
      if (fallbacks === undefined) this.#fallbacks.set(literal, fallbacks = fallbacksOf(literal));
      hole.finder = new LiteralFinder(literal, fallbacks, hole.from);
    }
    const place = hole.finder.next(bytes, hole.from, limit);
    return place ?? (hole.finder.isPartial && !isWhole ? "wait" : undefined);
  }
}

/** Where the next number begins, so that 130 is not taken for 30. */
function nextNumber(hole: Hole, input: Input, limit: number): number | "wait" | undefined {
  for (let at = Math.max(hole.from, hole.probed); at <= limit; at++) {
    const begins = beginsNumber(at, input);
    hole.probed = begins === undefined ? at : at + 1;
    if (begins === undefined) return "wait";
    if (begins) return at;
  }
  return undefined;
}

/** Whether a number begins at a place; `undefined` if that depends on what comes next. */
function beginsNumber(at: number, { bytes, isWhole }: Input): boolean | undefined {
  const byte = bytes[at];
  if (byte === undefined) return isWhole ? false : undefined;
  if (!isDigit(byte)) {
    if (byte !== POINT && !isSign(byte)) return false;
    const digit = at + (byte !== POINT && bytes[at + 1] === POINT ? 2 : 1);
    if (digit >= bytes.length && !isWhole) return undefined;
    if (!isDigit(bytes[digit])) return false;
  }
  // In 1.5 and -5 it has begun before; in 3-5 and ...5 it has not.
  const before = bytes[at - 1];
  if (isDigit(before)) return false;
  if (before === POINT) return isDigit(byte) && bytes[at - 2] === POINT;
  return !isSign(before) || isSign(byte) || isDigit(bytes[at - 2]);
}

/** Whether a byte ends a word: a control character other than a tab. */
function isControl(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09) || byte === 0x7f;
}
