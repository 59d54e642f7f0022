import { dialResettable } from "../../sockets/node_stream.ts";
import { errnoOf, errorName, kindOf } from "../../sockets/errno.ts";
import { type Attempt, SocketFailure } from "../../sockets/failure.ts";
import { Finding, Skipped } from "./check.ts";
import type { Child } from "./child.ts";
import { Conversation } from "./conversation.ts";
import { ListenerSearch, LOOPBACK } from "./listener_search.ts";
import { type Expected, judge, shown, wrongAnswer } from "./judge.ts";
import {
  type ExaminedServer,
  freshQuestion,
  nothingWithin,
  type Question,
  sampleOf,
  type Starter,
} from "./server.ts";
import { isInTimeWait } from "./system.ts";

/** What to do about a program that ended at a request of the lesson. */
const ENDED_FIX = "see what your program said as it ended: begin there";
/** Milliseconds in which a program must have begun to listen. */
const START_MS = 10_000;
/** Milliseconds between two tries to connect to a program that starts. */
const RETRY_MS = 20;
/** Milliseconds for which a bad request is given the time to be answered: silence is no failure. */
const REACTION_MS = 500;
/** An answer that takes so many milliseconds was waited for until silence ended the request. */
const SILENCE_RULE_MS = 150;
/** Milliseconds after which the lesson's client has surely been waiting for long enough. */
const BARE_MS = 1_000;

/** What ends a request for this server: nothing, a line end, or the end of what is sent. */
export type RequestEnd = "nothing" | "line" | "end of stream";

/** A server over TCP that is examined. */
export class TcpServer implements ExaminedServer, AsyncDisposable {
  readonly starter: Starter;
  /** What the server was found to need after a request. */
  requestEnd: RequestEnd = "nothing";
  /** What the first answer was waited for. */
  firstAnswerAfter: RequestEnd | undefined;
  /** Whether it is known to serve one client after another, so that it may go on from check to check. */
  servesSeveral = false;

  readonly #open = new Set<Conversation>();
  #addresses: readonly string[];
  /** The connection that showed that the server listens: it is the first client's. */
  #first: Conversation | undefined;
  #mustRestart = false;
  #endsLate = false;
  #wasReached = false;

  constructor(starter: Starter) {
    this.starter = starter;
    this.#addresses = starter.examination.target?.addresses ?? LOOPBACK;
    if (starter.examination.target !== undefined) starter.port = starter.examination.target.port;
    if (starter.examination.lines) this.requestEnd = "line";
  }

  get examination() {
    return this.starter.examination;
  }

  /** To be called before each check: a program that may not be well is started afresh. */
  beginCheck(): void {
    this.starter.isCancelled = false;
    if (!this.servesSeveral && this.#first === undefined) this.#mustRestart = true;
    if (this.starter.child?.ended !== undefined) this.#mustRestart = true;
    this.starter.listenToStderr();
  }

  /** To be called after a check that failed. */
  doubt(): void {
    this.#first = undefined;
    this.#mustRestart = true;
  }

  async cancel(): Promise<void> {
    this.starter.isCancelled = true;
    await this.stop();
  }

  said(): Promise<string | undefined> {
    return this.starter.said();
  }

  /** A connection of a new client; starts the program if it does not run. @throws {Finding} */
  async connect(): Promise<Conversation> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    const { target } = this.examination;
    if (target === undefined && (this.#mustRestart || this.starter.child === undefined)) {
      return await this.start();
    }
    return await this.#dial();
  }

  /** Hands a connection that nothing was sent on to the next {@linkcode connect}. */
  keep(conversation: Conversation): void {
    this.#first = conversation;
  }

  async exchange(): Promise<void> {
    if (this.examination.service === "hello") {
      await using _ = await this.#untilServed();
      return;
    }
    await this.ask(freshQuestion(this.examination));
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
    const sent = typeof request === "string" ? shown(request) : hexOf(request);
    const conversation = await this.connect();
    await this.request(conversation, request);
    await conversation.until((bytes) => bytes.length > 0, REACTION_MS);
    await this.leave(conversation);
    await this.servesAnother(sent, this.#whatCame(conversation));
  }

  async answerTo(request: string): Promise<string> {
    const conversation = await this.connect();
    await this.request(conversation, request);
    await conversation.until((bytes) => bytes.length > 0, this.examination.timeout);
    // What belongs to the answer comes with it or never.
    if (conversation.end === undefined) await conversation.until(() => false, 20);
    const answer = new TextDecoder().decode(conversation.bytes);
    await this.leave(conversation);
    return answer;
  }

  /** Sees whether another client is answered. @throws {Finding} that says what was done before. */
  async servesAnother(sent: string, cameBefore: string): Promise<void> {
    try {
      await this.exchange();
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      const ended = await this.starter.child?.howItEnded();
      const then = ended ?? `the next client: ${error.evidence.saw}`;
      throw new Finding({ sent, saw: `${cameBefore}; ${then}` });
    }
  }

  /** Sends a request with what ends it for this server. */
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
      saw: this.#whatCame(conversation) + ended,
      fix: ended === "" ? undefined : ENDED_FIX,
    });
  }

  /** Learns what this server needs after a request, from its first answer. @throws {Finding} */
  async learn(): Promise<void> {
    const conversation = await this.connect();
    const { request, expected } = sampleOf(this.examination);
    await this.#coaxAnswer(conversation, request);
    await this.answered(conversation, expected, request);
    // What a program sends by mistake after its answer mostly comes with it.
    await conversation.until((bytes) => judge(bytes, expected) === "wrong", 30);
    if (judge(conversation.bytes, expected) === "wrong") {
      throw new Finding(wrongAnswer(conversation.bytes, expected, request));
    }
    conversation.close();
  }

  /** Whether the lesson's client is answered if it is given more time, on a connection of its own. */
  async answersWithoutLineEnd(milliseconds: number): Promise<boolean> {
    const conversation = await this.connect();
    await conversation.send(sampleOf(this.examination).request, milliseconds);
    const came = await conversation.until((bytes) => bytes.length > 0, milliseconds);
    conversation.close();
    return came;
  }

  /** Closes as a client that has all it wanted; waits a moment for the server to do the same. */
  async leave(conversation: Conversation): Promise<void> {
    await conversation.closeWrite();
    if (!await conversation.untilEnd(this.#endsLate ? 30 : REACTION_MS)) this.#endsLate = true;
    conversation.close();
  }

  /** Starts the program and connects to it. @throws {Finding} if it does not listen. */
  async start(port?: number): Promise<Conversation> {
    await this.stop();
    const { fixedPort } = this.examination;
    const tries = port === undefined && fixedPort === undefined ? 3 : 1;
    for (let tried = 1;; tried++) {
      this.starter.start(port ?? this.starter.nextPort());
      try {
        const conversation = await this.#untilListening();
        this.#mustRestart = false;
        return conversation;
      } catch (error) {
        // Somebody else may have taken the port at that moment.
        if (tried === tries || this.starter.child?.ended === undefined) throw error;
        if (!(error instanceof Finding)) throw error;
      }
      await this.starter.stop();
    }
  }

  /** Ends the program; no connection of it lingers on its port. */
  async stop(): Promise<void> {
    for (const conversation of this.#open) conversation.reset();
    this.#open.clear();
    this.#first = undefined;
    await this.starter.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.starter[Symbol.asyncDispose]();
  }

  async #coaxAnswer(conversation: Conversation, request: string): Promise<void> {
    const { timeout, lines } = this.examination;
    const came = (milliseconds: number): Promise<boolean> =>
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
      if (await came(patience)) {
        this.requestEnd = this.firstAnswerAfter = requestEnd;
        this.waitsForSilence = requestEnd === "nothing" &&
          performance.now() - startedAt > SILENCE_RULE_MS;
        return;
      }
      if (conversation.end !== undefined) return;
    }
  }

  /** Whether the first answer came only after a silence. */
  waitsForSilence = false;

  /** Asks with line ends from now on if the server understands them and is quicker then. */
  async preferLines(): Promise<void> {
    if (!this.waitsForSilence || this.requestEnd !== "nothing") return;
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
  #whatCame(conversation: Conversation): string {
    const { bytes, end } = conversation;
    const came = bytes.length > 0 ? [`it answered ${shown(bytes)}`] : [];
    if (end === "closed") came.push("the connection closed");
    if (end === "reset") came.push("the connection was reset");
    if (end === undefined && came.length === 0) return nothingWithin(this.examination.timeout);
    if (end === undefined) came.push("nothing more came");
    return came.join(", then ");
  }

  /** hello: the server is done with a client when it closes. */
  async #untilServed(): Promise<AsyncDisposable> {
    const conversation = await this.connect();
    const { timeout } = this.examination;
    if (
      await conversation.until((bytes) => bytes.length > 0, 0) ||
      await conversation.untilEnd(timeout)
    ) {
      return { [Symbol.asyncDispose]: () => Promise.resolve(conversation.close()) };
    }
    throw new Finding({
      saw: `the connection is still open after ${timeout / 1_000} s` +
        await this.starter.andEnded(),
      fix: "close() each connection once its client was greeted",
    });
  }

  /** @throws {SocketFailure} if a TARGET was never reached; later it is the program's fault: a Finding. */
  async #dial(): Promise<Conversation> {
    const { timeout, target } = this.examination;
    const attempts: Attempt[] = [];
    for (const hostname of this.#addresses) {
      try {
        return await this.#dialAddress(hostname, timeout);
      } catch (error) {
        const endpoint = { hostname, port: this.starter.port };
        attempts.push({ endpoint, kind: kindOf(error) ?? "ERROR", error });
      }
    }
    // What a host without IPv6 says of ::1 says nothing of the program.
    const told = attempts.find(({ error }) => errnoOf(error) !== "EADDRNOTAVAIL") ?? attempts[0];
    const kind = told?.kind ?? "ERROR";
    if (target !== undefined && !this.#wasReached) {
      const facts = { phase: "connect", attempts, protocol: "tcp", timeoutMs: timeout } as const;
      throw new SocketFailure(kind, facts, told?.error);
    }
    const saws: Readonly<Record<string, string>> = {
      REFUSED: "the connection was refused",
      RESET: "the connection was reset",
      TIMEOUT: "the connection was not accepted",
    };
    const saw = saws[kind] ?? `no connection (${errorName(told?.error)})`;
    throw new Finding({ saw: saw + await this.starter.andEnded() });
  }

  async #dialAddress(hostname: string, timeout: number): Promise<Conversation> {
    const { port } = this.starter;
    const stream = await withTimeout(
      timeout,
      (signal) => dialResettable({ hostname, port, signal }),
    );
    const conversation = new Conversation(stream);
    this.#addresses = [hostname]; // where it was found, it is asked from now on
    this.#open.add(conversation);
    this.#wasReached = true;
    return conversation;
  }

  /** Tries to connect until it works. The connection that works is used: it may be the only one. */
  async #untilListening(): Promise<Conversation> {
    const child = this.starter.process();
    const search = new ListenerSearch(this.starter, child);
    const startedAt = performance.now();
    this.#addresses = LOOPBACK;
    while (performance.now() - startedAt < START_MS && !this.starter.isCancelled) {
      for (const hostname of LOOPBACK) {
        try {
          return await this.#dialAddress(hostname, 1_000);
        } catch {
          // Not yet.
        }
      }
      if (await search.isOver()) break;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    throw await this.#notListening(child, search);
  }

  async #notListening(child: Child, search: ListenerSearch): Promise<Finding | Skipped> {
    const { port } = this.starter;
    const { fixedPort } = this.examination;
    if (child.ended !== undefined) {
      // The first start found the port free: what holds it now comes from the checks before.
      if (fixedPort !== undefined && await isInTimeWait(port)) {
        return new Skipped(
          `port ${port} is still held by a closed connection: let your program take {port}`,
        );
      }
      return new Finding({ saw: `your program ${child.ending} before it listened` });
    }
    return new Finding(
      search.elsewhere() ?? {
        saw: `nothing listens on port ${port} after ${START_MS / 1_000} s`,
      },
    );
  }
}

/** Does something that a signal ends after so many milliseconds. */
async function withTimeout<T>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const late = (): void => controller.abort(new DOMException("too late", "TimeoutError"));
  const timer = setTimeout(late, milliseconds);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

function withLineEnd(request: string | Uint8Array): string | Uint8Array {
  if (typeof request === "string") return `${request}\n`;
  const bytes = new Uint8Array(request.length + 1);
  bytes.set(request);
  bytes[request.length] = 0x0a;
  return bytes;
}

function hexOf(bytes: Uint8Array): string {
  return `${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")} (in hex)`;
}
