import type { Progress } from "./match.ts";
import { Matcher } from "./matcher.ts";
import { render } from "./render.ts";
import { CR, LF, newlineAt } from "./take.ts";
import type { Conversation, Line, Talk } from "./talk.ts";
import type { Random, Value, Values } from "./value.ts";

/** What the server does next. */
export interface Turn {
  /** Bytes that it is about; 0 for a greeting. */
  readonly size: number;
  /**
   * What these bytes are: a request, the line end of the one before, which comes late, or nothing
   * that the file shows, which is passed over.
   */
  readonly about: "request" | "late line end" | "nothing known";
  /** What the server sends, a piece or a datagram each. */
  readonly replies: readonly Uint8Array<ArrayBuffer>[];
  /** The line of each of them. */
  readonly lines: readonly Line[];
  /** Whether it then ends the connection. */
  readonly ends: boolean;
}

/** What is known of the client: whether more may come. */
export type ClientState =
  /** More may come. */
  | "open"
  /** Nothing has come for a moment, so that what has come is all there is. */
  | "quiet"
  /** It has ended its side. */
  | "closed";

/** A line that may come next, and what has been said before it. */
interface Candidate {
  readonly conversation: Conversation;
  /** Its index in the conversation. */
  readonly index: number;
  readonly line: Line;
  readonly matcher: Matcher;
  readonly isNext: boolean;
  readonly literalBytes: number;
}

/**
 * The server's side of the conversations of a file, with one client.
 *
 * They may come in any order, and again: the next line of the conversation comes first, then the
 * line of the file with the most literal bytes.
 */
export class Dialogue {
  readonly #talk: Talk;
  readonly #random: Random;
  readonly #conversations: readonly Conversation[];
  #values = new Map<string, Value>();
  /** The conversation, and the index of its next line. */
  #conversation: Conversation;
  #index = 0;
  /** What the client's last line end was, where the file leaves it open: it is answered in kind. */
  #lineEnd = "";
  #mayBeginWithNewline = false;
  #candidates: readonly Candidate[] | undefined;
  readonly #received = { bytes: new Uint8Array() as Uint8Array };

  constructor(talk: Talk, random: Random) {
    this.#talk = talk;
    this.#random = random;
    const [first, ...rest] = talk.conversations.map((conversation) => ({
      ...conversation,
      lines: conversation.lines.filter(({ says }) => says === "client" || says === "server"),
    }));
    if (first === undefined) throw new TypeError("Cannot play a file without conversations");
    this.#conversations = [first, ...rest];
    this.#conversation = first;
  }

  /** What has been said in the conversation that is being held. */
  get values(): Values {
    return this.#values;
  }

  /** What the server sends before its client has sent anything. */
  greet(): Turn {
    return { size: 0, about: "request", ...this.#speak() };
  }

  /**
   * What the server does about what has come; `undefined` if it waits for more. Call it again
   * without the bytes that the turn answers.
   *
   * @param received All bytes that were not answered yet; over UDP, one datagram.
   */
  next(received: Uint8Array, state: ClientState): Turn | undefined {
    this.#received.bytes = received;
    if (received.length === 0 && !(state === "closed" && this.#awaitsEnd)) return undefined;
    const newline = this.#mayBeginWithNewline ? newlineAt(received, 0) : 0;
    if (newline > 0) {
      this.#mayBeginWithNewline = false;
      this.#candidates = undefined;
      return { size: newline, about: "late line end", ...silence };
    }
    this.#candidates ??= this.#makeCandidates();
    const found = state === "open" ? this.#decided() : this.#best(state);
    if (found !== undefined) return this.#answer(found, received);
    if (state === "open" || (state === "quiet" && this.#mayFit())) return undefined;
    this.#candidates = undefined;
    // What does not fit is passed over, up to the end of its line.
    const end = this.#talk.udp ? -1 : received.indexOf(LF);
    this.#mayBeginWithNewline = false;
    return { size: end < 0 ? received.length : end + 1, about: "nothing known", ...silence };
  }

  /** Whether the end of the client's side comes next, and no more bytes. */
  get #awaitsEnd(): boolean {
    const line = this.#conversation.lines[this.#index];
    return line?.says === "client" && line.tokens[0]?.kind === "end";
  }

  #makeCandidates(): readonly Candidate[] {
    const all = this.#conversations.flatMap((conversation) =>
      conversation.lines.flatMap((line, index) => {
        if (line.says !== "client") return [];
        const isNext = conversation === this.#conversation && index === this.#index;
        const matcher = new Matcher([line], this.#received, {
          talk: this.#talk,
          values: isNext ? this.#values : new Map(),
          mayBeginWithNewline: this.#mayBeginWithNewline,
        });
        return [{ conversation, index, line, matcher, isNext, literalBytes: literalBytesOf(line) }];
      })
    );
    return all.sort((a, b) =>
      Number(b.isNext) - Number(a.isNext) || b.literalBytes - a.literalBytes
    );
  }

  /** The line that fits, if what follows can't change that. */
  #decided(): Candidate | undefined {
    let first: Candidate | undefined;
    let isOpen = false;
    for (const candidate of this.#candidates ?? []) {
      const progress: Progress = candidate.matcher.look();
      if (progress === "matched") return first ?? candidate;
      // A request of several lines is not cut short by another that fits its first line.
      if (progress === "more" && candidate.isNext) return undefined;
      if (progress === "more" || candidate.matcher.isOpen) isOpen = true;
      else if (progress === "enough") first ??= candidate;
    }
    return isOpen ? undefined : first;
  }

  /** The line that fits what has come. */
  #best(state: "quiet" | "closed"): Candidate | undefined {
    const isLast = this.#talk.udp || state === "closed";
    return this.#candidates?.find(({ matcher }) => {
      if (!isLast && matcher.look() === "more") return false;
      const fits = matcher.finish(state === "closed" ? "closed" : "silent") === "matched";
      return fits && (!this.#talk.udp || matcher.size === this.#received.bytes.length);
    });
  }

  /** Whether what has come may be the beginning of a request, however slowly it comes. */
  #mayFit(): boolean {
    return !this.#talk.udp &&
      (this.#candidates?.some(({ matcher }) => matcher.look() === "more") ?? false);
  }

  #answer({ conversation, index, line, matcher }: Candidate, received: Uint8Array): Turn {
    matcher.finish("silent");
    const { size, values } = matcher;
    this.#candidates = undefined;
    this.#values = values;
    this.#conversation = conversation;
    this.#index = index + 1;
    const leavesEndOpen = line.tokens.at(-1)?.kind === "optional newline";
    this.#lineEnd = leavesEndOpen ? lineEndOf(received.subarray(0, size)) : "";
    this.#mayBeginWithNewline = leavesEndOpen && this.#lineEnd === "";
    return { size, about: "request", ...this.#speak() };
  }

  /** The server's lines from here on, up to one of the client. */
  #speak(): Pick<Turn, "replies" | "lines" | "ends"> {
    const replies: Uint8Array<ArrayBuffer>[] = [];
    const lines: Line[] = [];
    const options = { talk: this.#talk, random: this.#random, lineEnd: this.#lineEnd };
    while (true) {
      const line = this.#conversation.lines[this.#index];
      if (line?.says !== "server") return { replies, lines, ends: false };
      replies.push(render(line.tokens, this.#values, options));
      lines.push(line);
      this.#index++;
      if (line.tokens.at(-1)?.kind === "end") return { replies, lines, ends: true };
    }
  }
}

const silence = { replies: [], lines: [], ends: false } as const;

function literalBytesOf({ tokens }: Line): number {
  return tokens.reduce((sum, token) => sum + (token.kind === "bytes" ? token.bytes.length : 0), 0);
}

function lineEndOf(bytes: Uint8Array): "" | "\n" | "\r\n" {
  if (bytes.at(-1) !== LF) return "";
  return bytes.at(-2) === CR ? "\r\n" : "\n";
}
