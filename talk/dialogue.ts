import { render } from "./render.ts";
import { type Candidate, type ClientState, RequestMatcher } from "./request_matcher.ts";
import type { Conversation, Line, Talk } from "./talk.ts";
import type { Random, Value, Values } from "./value.ts";

/** What the server does next. */
export interface Turn {
  /** Bytes that it is about; 0 for a greeting. */
  readonly size: number;
  /**
   * What these bytes are: a request, the line end of the one before, which comes late, or nothing
   * that the file shows, which is passed over. `another client`: there are none, another client
   * has said something that this one receives.
   */
  readonly about: "request" | "late line end" | "nothing known" | "another client";
  /** What the server sends, a piece or a datagram each. */
  readonly replies: readonly Uint8Array<ArrayBuffer>[];
  /** The line of each of them. */
  readonly lines: readonly Line[];
  /** Whether it then ends the connection. */
  readonly ends: boolean;
}

/** The server's side of a conversation with one client. */
export interface ServerSide {
  /** What the server sends before its client has sent anything. */
  greet(): Turn;
  /**
   * What the server does about what has come; `undefined` if it waits for more. Call it again
   * without the bytes that the turn answers.
   *
   * @param received All bytes that were not answered yet; over UDP, one datagram.
   */
  next(received: Uint8Array, state: ClientState): Turn | undefined;
  /** Whether what has come waits until other clients have said something. */
  readonly waitsForOthers?: boolean;
  /** Called when another client has said something: there may be a turn. */
  wake?: () => void;
  /** The client has left. */
  leave?(): void;
}

/** A line of a conversation that a client may say. */
interface LineCandidate extends Candidate {
  readonly conversation: Conversation;
  /** Its index in the conversation. */
  readonly index: number;
}

/**
 * The server's side of the conversations of a file, with one client.
 *
 * They may come in any order, and again: the next line of the conversation comes first, then the
 * line of the file with the most literal bytes.
 */
export class Dialogue implements ServerSide {
  readonly #talk: Talk;
  readonly #random: Random;
  /** All lines of clients, those with the most literal bytes first. */
  readonly #all: readonly LineCandidate[];
  readonly #requests: RequestMatcher<LineCandidate>;
  #values = new Map<string, Value>();
  /** The conversation, and the index of its next line. */
  #conversation: Conversation;
  #index = 0;

  constructor(talk: Talk, random: Random) {
    this.#talk = talk;
    this.#random = random;
    const conversations = spokenConversations(talk);
    this.#all = candidatesIn(conversations);
    this.#conversation = conversations[0];
    this.#requests = new RequestMatcher(talk);
  }

  /** What has been said in the conversation that is being held. */
  get values(): Values {
    return this.#values;
  }

  greet(): Turn {
    return { size: 0, about: "request", ...this.#speak() };
  }

  next(received: Uint8Array, state: ClientState): Turn | undefined {
    if (received.length === 0 && !(state === "closed" && this.#awaitsEnd)) return undefined;
    const match = this.#requests.match(received, state, () => this.#candidates());
    if (match === undefined) return undefined;
    const { about, size } = match;
    if (match.about !== "request") return { about, size, ...silence };
    const { candidate: { conversation, index, isNext }, said } = match;
    if (!isNext) this.#values = new Map();
    for (const [name, value] of said) this.#values.set(name, value);
    this.#conversation = conversation;
    this.#index = index + 1;
    return { about, size, ...this.#speak() };
  }

  /** Whether the end of the client's side comes next, and no more bytes. */
  get #awaitsEnd(): boolean {
    const line = this.#conversation.lines[this.#index];
    return line !== undefined && isBareEnd(line);
  }

  #candidates(): readonly LineCandidate[] {
    const [conversation, index] = [this.#conversation, this.#index];
    const line = conversation.lines[index];
    if (line?.says !== "client") return this.#all;
    const next = { conversation, index, line, values: this.#values, isNext: true };
    return [next, ...this.#all.filter((other) => other.line !== line)];
  }

  /** The server's lines from here on, up to one of the client. */
  #speak(): Pick<Turn, "replies" | "lines" | "ends"> {
    const replies: Uint8Array<ArrayBuffer>[] = [];
    const lines: Line[] = [];
    const { lineEnd } = this.#requests;
    const options = { talk: this.#talk, random: this.#random, lineEnd };
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

/** Whether a client only ends its side in a line. */
export const isBareEnd = ({ says, tokens }: Line): boolean =>
  says === "client" && tokens[0]?.kind === "end";

/** A turn without a reply. */
export const silence = { replies: [], lines: [], ends: false } as const;

/** The conversations without what neither side says. */
export function spokenConversations(talk: Talk): readonly [Conversation, ...Conversation[]] {
  const [first, ...rest] = talk.conversations.map((conversation) => ({
    ...conversation,
    lines: conversation.lines.filter(({ says }) => says === "client" || says === "server"),
  }));
  if (first === undefined) throw new TypeError("Cannot play a file without conversations");
  return [first, ...rest];
}

function candidatesIn(conversations: readonly Conversation[]): readonly LineCandidate[] {
  const candidates = conversations.flatMap((conversation) =>
    conversation.lines.flatMap((line, index) =>
      line.says === "client"
        ? [{ conversation, index, line, values: new Map(), isNext: false }]
        : []
    )
  );
  return candidates.sort((a, b) => literalBytesOf(b.line) - literalBytesOf(a.line));
}

function literalBytesOf({ tokens }: Line): number {
  return tokens.reduce((sum, token) => sum + (token.kind === "bytes" ? token.bytes.length : 0), 0);
}
