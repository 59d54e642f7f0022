import { Captures } from "./captures.ts";
import type { MatchOptions, Miss, Progress, Received } from "./match.ts";
import { type Part, partsOf, restOfLine } from "./parts.ts";
import { type Hole, newHole, Places } from "./places.ts";
import {
  endOfNumber,
  type Input,
  MAX_MESSAGE,
  takeFixed,
  takeLiteral,
  type Taken,
  takeNewline,
  takeNumber,
} from "./take.ts";
import type { BinaryFormat, Line, Talk, ValueToken } from "./talk.ts";
import { fromBinary, type Value } from "./value.ts";
import { followerOf, type Want, wantOf } from "./want.ts";

/** Longer digits are not tried again from each place within them: that would take quadratic time. */
const LONG_NUMBER = 64;

/** What comes of looking at a token: the next one, a wait for more bytes, or another try. */
type Step = "go" | "wait" | "fail";

/**
 * Matches bytes, as they arrive, against lines of a conversation.
 *
 * `{...}` and a word that is not known are holes; everything else is fixed. A hole ends at the
 * first place where what is fixed behind it, up to the next hole, fits. `{...}` is then settled,
 * while words are tried longer if the next one does not fit in its line. A word that failed up to
 * the end of a line also fails from any later place in that line, so that each byte is looked
 * at a fixed number of times for each token.
 */
export class Matcher {
  #parts: readonly Part[];
  readonly #received: Received;
  readonly #numbers: Talk["numbers"];
  readonly #captures: Captures;
  readonly #places = new Places();
  /** Holes that may end elsewhere, outermost first. */
  #holes: Hole[] = [];
  /** For each word, up to where it is known to fail. */
  readonly #failed: number[] = [];
  /** Whether the innermost hole has to find its next place. */
  #seeks = false;
  /** The index of the last token that must come. */
  readonly #last: number;
  #index = 0;
  #at = 0;
  /** Up to where the current token was looked at. */
  #looked = 0;
  /** No more will come; `closed` if the other side has ended. */
  #ended: "closed" | "silent" | undefined;
  #furthest: { readonly at: number; readonly into: number; readonly part: Part } | undefined;
  #isOpen = false;
  #isWrong = false;

  /** @param received What has arrived from the first byte on; others add to it. */
  constructor(lines: readonly Line[], received: Received, options: MatchOptions) {
    this.#parts = partsOf(lines, options.mayBeginWithNewline ?? false);
    this.#last = this.#parts.findLastIndex(({ token }) => token.kind !== "optional newline");
    this.#received = received;
    this.#numbers = options.talk.numbers;
    this.#captures = new Captures(options.values);
  }

  /** The bytes that belong to it, once it has matched. */
  get size(): number {
    return this.#at;
  }

  /** Where it fails, or would if nothing more came; `undefined` before anything has failed. */
  get miss(): Miss | undefined {
    if (this.#furthest === undefined) return undefined;
    const { at, into, part } = this.#furthest;
    return { at, into, ...part };
  }

  /** Whether only silence shows the end: the last thing in the file is chosen by the other side. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The values that were said, apart from those known before. */
  get said(): Map<string, Value> {
    return this.#captures.said();
  }

  /** Looks at what has arrived. */
  look(): Progress {
    const input = this.#input;
    while (!this.#isWrong) {
      if (!this.#seeks && this.#index === this.#parts.length) return "matched";
      const step = this.#seeks ? this.#seek(input) : this.#take(input);
      if (step === "wait") return this.#waiting(input);
      if (step === "fail") this.#backtrack();
    }
    return "wrong";
  }

  /** Looks at what has arrived as the whole: nothing more will come. */
  finish(ended: "closed" | "silent"): "matched" | "wrong" {
    this.#ended = ended;
    return this.look() === "matched" ? "matched" : "wrong";
  }

  get #input(): Input {
    const { bytes } = this.#received;
    return { bytes, isWhole: this.#ended !== undefined || bytes.length > MAX_MESSAGE };
  }

  /** Ends the innermost hole at its next place. */
  #seek(input: Input): Step {
    const hole = this.#holes.at(-1);
    if (hole === undefined) return "fail";
    const hops = this.#parts[hole.index + 1]?.token.kind === "optional newline";
    const follower = followerOf(
      this.#parts[hole.index + (hops ? 2 : 1)]?.token,
      this.#captures,
      this.#numbers,
    );
    const place = this.#places.next(hole, follower, input, hops);
    if (place === "wait") return "wait";
    if (place === "none") {
      const end = hole.isWord ? hole.lineEnd : input.bytes.length;
      this.#failed[hole.index] = end;
      this.#holes.pop();
      return this.#fail(end, this.#parts[hole.index + 1]);
    }
    hole.from = place + 1;
    const bytes = input.bytes.subarray(hole.start, place);
    this.#captures.add(hole.name, { kind: "word", bytes });
    return this.#go(hole.index + 1, place);
  }

  /** Matches the next token, or enters it if it is a hole. */
  #take(input: Input): Step {
    const token = this.#parts[this.#index]?.token;
    switch (token?.kind) {
      case undefined:
        return "fail";
      case "bytes":
        return this.#settle(takeLiteral(token.bytes, this.#at, this.#looked, input));
      case "newline":
      case "optional newline":
        return this.#settle(takeNewline(token.kind === "optional newline", this.#at, input));
      case "anything":
        // Whatever would fit later also fits from here, so that nothing before is tried again.
        this.#holes = [];
        return this.#enter(undefined, false);
      case "length":
        return this.#takeLength(token.binary, input);
      case "end":
        return this.#settle(this.#takeEnd(input));
      case "value":
        return this.#takeValue(wantOf(token, this.#captures, this.#numbers), input);
    }
  }

  #takeEnd({ bytes, isWhole }: Input): Taken {
    if (bytes.length === this.#at && this.#ended === "closed") return { end: this.#at };
    return bytes.length > this.#at || isWhole ? { miss: this.#at } : { wait: this.#at };
  }

  #takeValue(want: Want, input: Input): Step {
    const at = this.#at;
    const { bytes } = input;
    switch (want.kind) {
      case "literal":
        return this.#settle(takeLiteral(want.bytes, at, this.#looked, input));
      case "word":
        return this.#enter(want.name, true);
      case "fixed": {
        const taken = takeFixed(want.size, at, input);
        if (!("end" in taken)) return this.#settle(taken);
        return this.#keep(want.name, want.read(bytes.subarray(at, taken.end)), taken.end);
      }
      case "number": {
        const taken = takeNumber(at, this.#looked, input);
        if ("wait" in taken) return this.#settle(taken);
        const end = "end" in taken ? taken.end : taken.miss;
        const hole = this.#holes.at(-1);
        if (hole !== undefined && end - at > LONG_NUMBER) hole.from = Math.max(hole.from, end);
        if ("miss" in taken) return this.#fail(at);
        return this.#keep(want.name, want.read(textOf(bytes, at, taken.end)), taken.end);
      }
    }
  }

  /** Goes on with a value that was read, if it is right. */
  #keep(name: string | undefined, value: Value | undefined, end: number): Step {
    if (value === undefined) return this.#fail(this.#at);
    this.#captures.add(name, value);
    return this.#go(this.#index + 1, end);
  }

  /** A length and the rest of its line, which has that length: there is no other way to read it. */
  #takeLength(binary: BinaryFormat, input: Input): Step {
    const start = this.#at + binary.size;
    if (start > input.bytes.length) return this.#settle(takeFixed(binary.size, this.#at, input));
    const length = fromBinary(input.bytes.subarray(this.#at, start), binary);
    const taken = takeFixed(binary.size + length, this.#at, input);
    if (!("end" in taken)) return this.#settle(taken);
    const rest = restOfLine(this.#parts, this.#index);
    const counted = { bytes: input.bytes.subarray(start, taken.end) };
    const inner = new Matcher([], counted, {
      talk: { numbers: this.#numbers },
      values: this.#captures,
    });
    inner.#parts = rest;
    if (inner.finish("silent") === "matched" && inner.size === length) {
      this.#captures.addAll(inner.#captures);
      return this.#go(this.#index + 1 + rest.length, taken.end);
    }
    this.#holes = [];
    const { at, part } = inner.#furthest ?? { at: inner.size, part: undefined };
    return this.#fail(start + at, part);
  }

  #enter(name: string | undefined, isWord: boolean): Step {
    const start = this.#at;
    if (isWord && start <= (this.#failed[this.#index] ?? -1)) return this.#fail(start);
    this.#holes.push(
      newHole({ index: this.#index, name, isWord, start, captures: this.#captures.count }),
    );
    this.#seeks = true;
    return "go";
  }

  #settle(taken: Taken): Step {
    if ("end" in taken) return this.#go(this.#index + 1, taken.end);
    if ("miss" in taken) return this.#fail(taken.miss);
    this.#looked = taken.wait;
    return "wait";
  }

  #go(index: number, at: number): Step {
    this.#index = index;
    this.#at = this.#looked = at;
    this.#seeks = false;
    return "go";
  }

  /** Keeps how far it came. */
  #fail(at: number, part = this.#parts[this.#index]): Step {
    const into = part === this.#parts[this.#index] ? at - this.#at : 0;
    if (part !== undefined && at >= (this.#furthest?.at ?? 0)) this.#furthest = { at, into, part };
    return "fail";
  }

  /** Goes back to the innermost hole, which then ends at its next place. */
  #backtrack(): void {
    const hole = this.#holes.at(-1);
    this.#seeks = true;
    this.#isWrong = hole === undefined;
    this.#captures.undo(hole?.captures ?? 0);
  }

  /** What it is while it waits for more. */
  #waiting({ bytes }: Input): "more" | "enough" {
    const hole = this.#seeks ? this.#holes.at(-1) : undefined;
    const index = hole?.index ?? this.#index;
    const token = this.#parts[index]?.token;
    this.#isOpen = false;
    if (index < this.#last) return "more";
    if (token?.kind === "optional newline") return "enough";
    if (hole !== undefined) this.#isOpen = !hole.isWord || bytes.length > hole.start;
    else if (token?.kind === "value") return this.#endsInNumber(token, bytes) ? "enough" : "more";
    return this.#isOpen ? "enough" : "more";
  }

  /** Whether the last token is a number that is right if no digits follow. */
  #endsInNumber(token: ValueToken, bytes: Uint8Array): boolean {
    const want = wantOf(token, this.#captures, this.#numbers);
    if (want.kind !== "number") return false;
    const end = endOfNumber(this.#at, bytes);
    const isRight = want.read(textOf(bytes, this.#at, end)) !== undefined;
    this.#isOpen = isRight && want.isOpen;
    return isRight;
  }
}

/** ASCII as text. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
