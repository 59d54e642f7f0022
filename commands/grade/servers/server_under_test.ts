/** A server under test. netdemo plays its clients, over TCP or UDP. */
import type { Driver } from "../../../suite/runner.ts";
import { Finding } from "../../../suite/test.ts";
import { formatDuration } from "../../../protocol/duration.ts";
import { type Expected, judge, shown, wrongAnswer } from "../judge.ts";
import type { Program } from "../program/program.ts";
import { freshQuestion, type Question, sampleOf } from "../questions.ts";
import type { ServiceName } from "../subjects.ts";
import type { Peer } from "./peer.ts";

/** What to do about a program that ended before it was asked anything. */
export const ENDED_EARLY_FIX =
  "find out why it ended: read its error message, and check the command";
/** The fix for a program that ended at one of the lesson's requests. */
const ENDED_FIX = "begin with what your program said as it ended";
/** Milliseconds of silence after which an answer without a line end is taken to be complete. */
export const REST_MS = 150;
/** Milliseconds after which the rest of a wrong answer has arrived. */
const WRONG_REST_MS = 60;
/** Starts of a program whose port another program may have taken in the meantime. */
const STARTS = 3;

/** What the examination of a server is given. */
export interface ServerSettings {
  readonly service: ServiceName;
  /** Whether its clients ask anything. hello over TCP only lets them connect. */
  readonly asks: boolean;
  /** Whether both sides use line ends. */
  readonly lines: boolean;
  /** Milliseconds to wait for each answer. */
  readonly timeout: number;
  /** Random numbers from 0 up to 1. */
  readonly random: () => number;
  /** Where a server is already running, in place of a command. */
  readonly target?: { readonly addresses: readonly string[]; readonly port: number } | undefined;
}

/** How netdemo's clients reach the program: what differs between TCP and UDP. */
export interface Clients<P extends Peer> {
  /**
   * Waits until the program that was just started can be asked.
   *
   * @returns the client that found out, if that one is to be used first.
   * @throws {Finding} if it can't be asked.
   */
  untilReady(): Promise<P | undefined>;
  /** Whether that client has asked the sample question already. */
  readonly firstHasAsked: boolean;
  /** A new client. @param timeout Milliseconds that connecting may take. @throws {Finding} */
  connect(timeout: number): Promise<P>;
  /** Closes all clients, so that nothing of them lingers on the port. */
  closeAll(): void;
  /** Milliseconds to wait for a reaction to a bad request: silence is not a failure. */
  readonly reactionMs: number;
}

/** What ends a request for this server: nothing, a line end, or the end of the stream. */
export type RequestEnd = "nothing" | "line" | "end of stream";

/** A server from check to check. */
export class ServerUnderTest<P extends Peer = Peer> implements Driver, AsyncDisposable {
  readonly program: Program;
  readonly settings: ServerSettings;
  /** Whether it is known to serve one client after another: it can then run for several checks. */
  servesSeveral = false;
  /** What the server was found to need after a request. */
  requestEnd: RequestEnd;
  /** Whether it was seen not to close when its client does. */
  endsLate = false;
  /** What brought the first answer. */
  firstAnswerAfter: RequestEnd | undefined;
  readonly clients: Clients<P>;
  #first: P | undefined;
  #mustRestart = false;
  /** Whether the running program has had a client. */
  #hadClient = false;
  #patience = 1;

  constructor(program: Program, settings: ServerSettings, clients: Clients<P>) {
    this.program = program;
    this.settings = settings;
    this.clients = clients;
    this.requestEnd = settings.lines ? "line" : "nothing";
    if (settings.target !== undefined) program.port = settings.target.port;
  }

  /** Milliseconds to wait for each answer. */
  get timeout(): number {
    return this.settings.timeout * this.#patience;
  }

  /** `nothing within 2s`. */
  get nothingInTime(): string {
    return `nothing within ${formatDuration(this.timeout)}`;
  }

  begin(patience: number): void {
    this.#patience = patience;
    this.program.isCancelled = false;
    if (this.program.child?.ended !== undefined) this.#mustRestart = true;
    this.program.listenToStderr();
  }

  markSuspect(): void {
    this.#first = undefined;
    this.#mustRestart = true;
  }

  async cancel(): Promise<void> {
    this.program.isCancelled = true;
    await this.stop();
  }

  said(): Promise<string | undefined> {
    return this.program.said();
  }

  /** Whether a server that this run did not start has stopped answering. */
  async isGone(): Promise<boolean> {
    if (this.settings.target === undefined) return false;
    return await this.exchange().then(() => false, () => true);
  }

  /**
   * A new client. Starts the program if it is not running, or is not known to serve more than the
   * client that it had.
   *
   * @throws {Finding}
   */
  async connect(): Promise<P> {
    const fresh = (): P | undefined => this.clients.firstHasAsked ? undefined : this.takeFirst();
    const first = fresh();
    if (first === undefined && this.#mustStart) await this.start();
    this.#hadClient = true;
    return first ?? fresh() ?? await this.clients.connect(this.timeout);
  }

  /** The client that found out that the program is ready, if it was not used yet. */
  takeFirst(): P | undefined {
    const first = this.#first;
    this.#first = undefined;
    return first;
  }

  /** Makes sure that it can be reached; the client that found out is used next. @throws {Finding} */
  async isReachable(): Promise<void> {
    if (this.#first === undefined && this.#mustStart) await this.start();
    else if (!this.clients.firstHasAsked) this.#first = await this.connect();
    this.#hadClient = false;
  }

  /** Starts the program afresh. @param port @default a new one @throws {Finding} */
  async start(port?: number): Promise<void> {
    await this.stop();
    const isChosenHere = port === undefined && this.program.options.fixedPort === undefined;
    for (let tries = isChosenHere ? STARTS : 1;; tries--) {
      this.program.start(port ?? this.program.nextPort());
      try {
        this.#first = await this.clients.untilReady();
        this.#mustRestart = this.#hadClient = false;
        return;
      } catch (error) {
        // Another program may have taken the port in the meantime.
        const hasEnded = this.program.child?.ended !== undefined;
        if (tries === 1 || !hasEnded || !(error instanceof Finding)) throw error;
      }
      await this.program.stop();
    }
  }

  /** Ends the program, and closes what is connected to it. */
  async stop(): Promise<void> {
    this.clients.closeAll();
    this.#first = undefined;
    await this.program.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.program[Symbol.asyncDispose]();
  }

  /** Asks one plain question as a new client, and checks the answer. @throws {Finding} */
  async exchange(question: Question = this.question()): Promise<void> {
    if (this.settings.asks) await this.ask(question);
    else await this.#served();
  }

  /** The server is done with a client once it has greeted it, or closed. @throws {Finding} */
  async #served(): Promise<void> {
    using peer = await this.connect();
    await peer.until((bytes) => bytes.length > 0, this.timeout);
    if (peer.peek().length > 0 || peer.ending !== undefined) return;
    throw new Finding({
      saw: `the connection is still open after ${this.timeout / 1_000} s` +
        await this.program.andEnded(),
      fix: "close() each connection once its client has been greeted",
      isSilence: true,
    });
  }

  /** Returns a new question, as far as the service allows. */
  question(): Question {
    return freshQuestion(this.settings.service, this.settings.random);
  }

  /** The lesson's own question. */
  get sample(): Question {
    return sampleOf(this.settings.service);
  }

  /** Asks each of the questions as a new client. @throws {Finding} */
  async ask(...questions: readonly Question[]): Promise<void> {
    for (const { request, expected } of questions) {
      using peer = await this.connect();
      await this.request(peer, request);
      await this.answered(peer, expected, request);
    }
  }

  /** Sends a request with the ending that this server needs. */
  async request(peer: P, request: string | Uint8Array): Promise<void> {
    peer.take();
    await peer.send(this.requestEnd === "line" ? withLineEnd(request) : request, this.timeout);
    if (this.requestEnd === "end of stream") await peer.closeWrite();
  }

  /** Waits for an answer. @throws {Finding} if it is not the right one. */
  async answered(peer: P, expected: Expected, sent: string): Promise<void> {
    const { timeout } = this;
    await peer.until((bytes) => judge(bytes, expected) !== "more", timeout);
    // A number may go on: it is judged once it is whole.
    if (expected.number !== undefined && peer.peek().length > 0) await peer.untilSilent(REST_MS);
    const verdict = judge(peer.peek(), expected);
    if (verdict === "right") return;
    const bytes = peer.peek();
    const isWhole = expected.number !== undefined && /\d\s*$/.test(new TextDecoder().decode(bytes));
    if (verdict === "wrong" || isWhole) {
      if (verdict === "wrong") await peer.until(() => false, WRONG_REST_MS);
      throw new Finding(wrongAnswer(peer.peek(), expected, sent));
    }
    const ended = await this.program.andEnded();
    throw new Finding({
      sent: shown(sent),
      want: shown(expected.text),
      saw: this.reaction(peer) + ended,
      fix: ended === "" ? undefined : ENDED_FIX,
      isSilence: ended === "" && peer.ending === undefined,
    });
  }

  /** `it answered Error: ...`, `nothing within 2s`, `the connection closed`. */
  reaction(peer: P): string {
    const { ending } = peer;
    const bytes = peer.peek();
    const parts = bytes.length > 0 ? [`it answered ${shown(bytes)}`] : [];
    if (ending === "end of stream") parts.push("the connection closed");
    if (ending === "reset") parts.push("the connection was reset");
    if (ending === undefined && parts.length === 0) return this.nothingInTime;
    if (ending === undefined) parts.push("nothing more came");
    return parts.join(", then ");
  }

  /** Whether the program must be started for the next client. */
  get #mustStart(): boolean {
    if (this.settings.target !== undefined) return false;
    const isSpent = this.#hadClient && !this.servesSeveral;
    return this.#mustRestart || isSpent || this.program.child === undefined;
  }
}

/** The request, with a line end. */
export function withLineEnd(request: string | Uint8Array): string | Uint8Array {
  if (typeof request === "string") return `${request}\n`;
  const bytes = new Uint8Array(request.length + 1);
  bytes.set(request);
  bytes[request.length] = 0x0a;
  return bytes;
}
