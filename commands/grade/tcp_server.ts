import { Finding } from "./check.ts";
import type { Conversation } from "./conversation.ts";
import { type Expected, inHex, judge, shown, wrongAnswer } from "./judge.ts";
import {
  type ExaminedServer,
  freshQuestion,
  nothingWithin,
  type Question,
  sampleOf,
  type Starter,
} from "./server.ts";
import { TcpConnector } from "./tcp_connector.ts";

/** The fix for a program that ended at one of the lesson's requests. */
const ENDED_FIX = "begin with what your program said as it ended";
/** Milliseconds to wait for an answer to a bad request: silence is not a failure. */
const REACTION_MS = 500;
/** Milliseconds after which an answer must have waited for silence to end the request. */
const SILENCE_RULE_MS = 150;
/** Milliseconds of silence after which an answer without a line end is taken to be complete. */
const REST_MS = 150;
/** Milliseconds to wait for the answer to a request without a line end. */
const BARE_MS = 1_000;

/** What ends a request for this server: nothing, a line end, or the end of the stream. */
export type RequestEnd = "nothing" | "line" | "end of stream";

/** A server over TCP under examination. */
export class TcpServer extends TcpConnector implements ExaminedServer {
  /** What the server was found to need after a request. */
  requestEnd: RequestEnd = "nothing";
  /** What brought the first answer. */
  firstAnswerAfter: RequestEnd | undefined;
  #waitsForSilence = false;
  #endsLate = false;

  constructor(starter: Starter) {
    super(starter);
    if (starter.examination.lines) this.requestEnd = "line";
  }

  async exchange(): Promise<void> {
    if (this.examination.service === "hello") await this.#served();
    else await this.ask(freshQuestion(this.examination));
  }

  async ask(...questions: readonly Question[]): Promise<void> {
    let conversation: Conversation | undefined;
    try {
      for (const { request, expected } of questions) {
        if (conversation === undefined || this.requestEnd === "end of stream") {
          conversation?.close();
          conversation = await this.connect();
        }
        await this.request(conversation, request);
        await this.answered(conversation, expected, request);
      }
    } finally {
      conversation?.close();
    }
  }

  async survives(request: string | Uint8Array): Promise<void> {
    const sent = typeof request === "string" ? shown(request) : inHex(request);
    const conversation = await this.connect();
    await this.request(conversation, request);
    await conversation.until((bytes) => bytes.length > 0, REACTION_MS);
    await this.leave(conversation);
    await this.servesAnother(sent, this.#reaction(conversation));
  }

  async answerTo(request: string, right?: string): Promise<string> {
    const conversation = await this.connect();
    await this.request(conversation, request);
    await conversation.until((bytes) => bytes.length > 0, this.examination.timeout);
    const answer = (): string => new TextDecoder().decode(conversation.bytes);
    // An answer may come in several writes: a part of it must not be taken for a wrong number.
    const isPart = answer() !== "" && answer() !== right;
    if (isPart) await conversation.untilQuiet(REST_MS);
    await this.leave(conversation);
    return answer();
  }

  /** Sends a request with the ending that this server needs. */
  async request(conversation: Conversation, request: string | Uint8Array): Promise<void> {
    const { timeout } = this.examination;
    conversation.forget();
    await conversation.send(this.requestEnd === "line" ? withLineEnd(request) : request, timeout);
    if (this.requestEnd === "end of stream") await conversation.closeWrite();
  }

  /** Waits for an answer. @throws {Finding} if it is not the right one. */
  async answered(conversation: Conversation, expected: Expected, sent: string): Promise<void> {
    await conversation.until(
      (bytes) => judge(bytes, expected) !== "more",
      this.examination.timeout,
    );
    const verdict = judge(conversation.bytes, expected);
    if (verdict === "right") return;
    const { bytes } = conversation;
    const isWhole = expected.number !== undefined && /\d\s*$/.test(new TextDecoder().decode(bytes));
    if (verdict === "wrong" || isWhole) {
      if (verdict === "wrong") await conversation.until(() => false, 60); // the rest of it
      throw new Finding(wrongAnswer(conversation.bytes, expected, sent));
    }
    const ended = await this.starter.andEnded();
    throw new Finding({
      sent: shown(sent),
      want: shown(expected.text),
      saw: this.#reaction(conversation) + ended,
      fix: ended === "" ? undefined : ENDED_FIX,
      isSilence: ended === "" && conversation.end === undefined,
    });
  }

  /** Learns what this server needs after a request, from its first answer. @throws {Finding} */
  async learn(): Promise<void> {
    const conversation = await this.connect();
    const { request, expected } = sampleOf(this.examination);
    await this.#coaxAnswer(conversation, request);
    await this.answered(conversation, expected, request);
    // What a program sends by mistake after its answer usually comes right with it.
    await conversation.until((bytes) => judge(bytes, expected) === "wrong", 30);
    if (judge(conversation.bytes, expected) === "wrong") {
      throw new Finding(wrongAnswer(conversation.bytes, expected, request));
    }
    conversation.close();
  }

  /** Whether a request without a line end is answered, given more time on a new connection. */
  async answersWithoutLineEnd(milliseconds: number): Promise<boolean> {
    const conversation = await this.connect();
    await conversation.send(sampleOf(this.examination).request, milliseconds);
    const isAnswered = await conversation.until((bytes) => bytes.length > 0, milliseconds);
    conversation.close();
    return isAnswered;
  }

  /** Closes as a client that has its answer; gives the server a moment to do the same. */
  async leave(conversation: Conversation): Promise<void> {
    await conversation.closeWrite();
    if (!await conversation.untilEnd(this.#endsLate ? 30 : REACTION_MS)) this.#endsLate = true;
    conversation.close();
  }

  async #coaxAnswer(conversation: Conversation, request: string): Promise<void> {
    const { timeout, lines } = this.examination;
    const isAnswered = (milliseconds: number): Promise<boolean> =>
      conversation.until((bytes) => bytes.length > 0, milliseconds);
    if (lines) {
      await conversation.send(withLineEnd(request), timeout);
      return;
    }
    const steps: readonly (readonly [RequestEnd, number, () => Promise<void>])[] = [
      ["nothing", BARE_MS, () => conversation.send(request, timeout)],
      ["line", timeout, () => conversation.send("\n", timeout)],
      ["end of stream", timeout, () => conversation.closeWrite()],
    ];
    for (const [requestEnd, patience, step] of steps) {
      const startedAt = performance.now();
      await step();
      if (await isAnswered(patience)) {
        this.requestEnd = this.firstAnswerAfter = requestEnd;
        this.#waitsForSilence = requestEnd === "nothing" &&
          performance.now() - startedAt > SILENCE_RULE_MS;
        return;
      }
      if (conversation.end !== undefined) return;
    }
  }

  /** Switches to line ends if the server understands them and so answers faster. */
  async preferLines(): Promise<void> {
    if (!this.#waitsForSilence || this.requestEnd !== "nothing") return;
    this.requestEnd = "line";
    try {
      await this.exchange();
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      this.requestEnd = "nothing";
      this.doubt();
    }
  }

  /** `answered "Error: ..."`, `nothing within 2s`, `the connection closed`. */
  #reaction(conversation: Conversation): string {
    const { bytes, end } = conversation;
    const parts = bytes.length > 0 ? [`it answered ${shown(bytes)}`] : [];
    if (end === "closed") parts.push("the connection closed");
    if (end === "reset") parts.push("the connection was reset");
    if (end === undefined && parts.length === 0) return nothingWithin(this.examination.timeout);
    if (end === undefined) parts.push("nothing more came");
    return parts.join(", then ");
  }

  /** hello: the server is done with a client once it has greeted it, or closed. @throws {Finding} */
  async #served(): Promise<void> {
    using conversation = await this.connect();
    const { timeout } = this.examination;
    await conversation.until((bytes) => bytes.length > 0, timeout);
    if (conversation.bytes.length > 0 || conversation.end !== undefined) return;
    throw new Finding({
      saw: `the connection is still open after ${timeout / 1_000} s` +
        await this.starter.andEnded(),
      fix: "close() each connection once its client has been greeted",
      isSilence: true,
    });
  }
}

function withLineEnd(request: string | Uint8Array): string | Uint8Array {
  if (typeof request === "string") return `${request}\n`;
  const bytes = new Uint8Array(request.length + 1);
  bytes.set(request);
  bytes[request.length] = 0x0a;
  return bytes;
}
