import type { Progress } from "./match.ts";
import { Matcher } from "./matcher.ts";
import { beginsWithNewline } from "./parts.ts";
import { CR, LF, newlineAt } from "./take.ts";
import type { Line, Talk } from "./talk.ts";
import type { Value, Values } from "./value.ts";

/** What is known of a client: whether more may come. */
export type ClientState =
  /** More may come. */
  | "open"
  /** Nothing has come for a moment, so that what has come is all there is. */
  | "quiet"
  /** It has ended its side. */
  | "closed";

/** A line that a client may say next. */
export interface Candidate {
  readonly line: Line;
  /** What was said before it. */
  readonly values: Values;
  /** Whether it is the next one of a conversation that is being held. */
  readonly isNext: boolean;
}

/** What a client has said, as far as it is known. */
export type RequestMatch<C extends Candidate> =
  | {
    readonly about: "request";
    /** Bytes that it is about. */
    readonly size: number;
    readonly candidate: C;
    /** The values that it chose. */
    readonly said: ReadonlyMap<string, Value>;
  }
  /**
   * The line end of the request before, which comes late, or nothing that the file shows, which is
   * passed over.
   */
  | { readonly about: "late line end" | "nothing known"; readonly size: number };

type Match<C> = readonly [candidate: C, matcher: Matcher];

/** Matches what a client says with the lines that it may say. */
export class RequestMatcher<C extends Candidate> {
  /** What the client's last line end was, where the file leaves it open: it is answered in kind. */
  lineEnd = "";
  readonly #talk: Talk;
  readonly #received = { bytes: new Uint8Array() as Uint8Array };
  #mayBeginWithNewline = false;
  #candidates: readonly C[] | undefined;
  /** What has come, as each candidate; made on first use, as the first often fits. */
  #matchers: Matcher[] = [];

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  /**
   * What has come; `undefined` if it waits for more. Call it again without the bytes that it is
   * about.
   *
   * @param received All bytes not matched yet; over UDP, one datagram.
   * @param candidates Asked for again once something was matched, or {@linkcode forget} was called.
   */
  match(
    received: Uint8Array,
    state: ClientState,
    candidates: () => readonly C[],
  ): RequestMatch<C> | undefined {
    this.#received.bytes = received;
    const newline = this.#mayBeginWithNewline ? newlineAt(received, 0) : 0;
    const isAwaited = newline > 0 &&
      candidates().some(({ isNext, line }) => isNext && beginsWithNewline(line.tokens[0]));
    if (newline > 0 && !isAwaited) {
      this.#mayBeginWithNewline = false;
      this.forget();
      return { about: "late line end", size: newline };
    }
    this.#candidates ??= candidates();
    const found = state === "open" ? this.#decided() : this.#best(state);
    if (found !== undefined) return this.#take(...found);
    if (state === "open" || (state === "quiet" && this.#mayFit())) return undefined;
    this.forget();
    // What does not fit is passed over, up to the end of its line.
    const end = this.#talk.udp ? -1 : received.indexOf(LF);
    this.#mayBeginWithNewline = false;
    return { about: "nothing known", size: end < 0 ? received.length : end + 1 };
  }

  /** What the client may say has changed. */
  forget(): void {
    this.#candidates = undefined;
    this.#matchers = [];
  }

  /** The candidates, each with what has come. */
  *#all(): Generator<Match<C>> {
    for (const [index, candidate] of this.#candidates?.entries() ?? []) {
      const { line, values } = candidate;
      yield [
        candidate,
        this.#matchers[index] ??= new Matcher([line], this.#received, {
          talk: this.#talk,
          values,
          mayBeginWithNewline: this.#mayBeginWithNewline,
        }),
      ];
    }
  }

  /** The line that fits, if what follows can't change that. */
  #decided(): Match<C> | undefined {
    let first: Match<C> | undefined;
    let isOpen = false;
    for (const match of this.#all()) {
      const [{ isNext }, matcher] = match;
      const progress: Progress = matcher.look();
      if (progress === "matched") return first ?? match;
      // A request of several lines is not cut short by another that fits its first line.
      if (progress === "more" && isNext) return undefined;
      if (progress === "more" || matcher.isOpen) isOpen = true;
      else if (progress === "enough") first ??= match;
    }
    return isOpen ? undefined : first;
  }

  /** The line that fits what has come. */
  #best(state: "quiet" | "closed"): Match<C> | undefined {
    const isLast = this.#talk.udp || state === "closed";
    return this.#all().find(([, matcher]) => {
      if (!isLast && matcher.look() === "more") return false;
      const fits = matcher.finish(state === "closed" ? "closed" : "silent") === "matched";
      return fits && (!this.#talk.udp || matcher.size === this.#received.bytes.length);
    });
  }

  /** Whether what has come may be the beginning of a request, however slowly it comes. */
  #mayFit(): boolean {
    return !this.#talk.udp && this.#all().some(([, matcher]) => matcher.look() === "more");
  }

  #take(candidate: C, matcher: Matcher): RequestMatch<C> {
    const { line } = candidate;
    matcher.finish("silent");
    const { size, said } = matcher;
    this.forget();
    const leavesEndOpen = line.tokens.at(-1)?.kind === "optional newline";
    this.lineEnd = leavesEndOpen ? lineEndOf(this.#received.bytes.subarray(0, size)) : "";
    this.#mayBeginWithNewline = leavesEndOpen && this.lineEnd === "";
    return { about: "request", size, candidate, said };
  }
}

function lineEndOf(bytes: Uint8Array): "" | "\n" | "\r\n" {
  if (bytes.at(-1) !== LF) return "";
  return bytes.at(-2) === CR ? "\r\n" : "\n";
}
