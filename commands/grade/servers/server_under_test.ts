/** A server under test. netdemo plays its clients, over TCP or UDP. */
import type { TalkPeer } from "../../../clients/call/talk_peer.ts";
import type { PlayOptions } from "../../../clients/call/talk_player.ts";
import type { Driver } from "../../../suite/runner.ts";
import { Finding } from "../../../suite/test.ts";
import type { Talk } from "../../../talk/talk.ts";
import { withLineEnds, withRequestEnds } from "../conversations.ts";
import type { Program } from "../program/program.ts";
import { untilRead } from "../program/system.ts";
import { startFix } from "../advice.ts";
import type { Subject } from "../subjects.ts";

/** What the tests of a server are given. */
export interface ServerSettings {
  readonly subject: Subject;
  /** Random numbers from 0 up to 1. */
  readonly random: () => number;
  /** Milliseconds to wait for each answer. */
  readonly timeout: number;
  /** Where a server is already running, in place of a command. */
  readonly target?: { readonly addresses: readonly string[]; readonly port: number } | undefined;
}

/** Milliseconds within which a program must begin to listen. */
export const START_MS = 10_000;
/** Milliseconds after which a program that listens elsewhere will not come. */
export const ELSEWHERE_MS = 2_500;

/** Describes a program that ended before it was asked anything. @param before `it listened` */
export async function endedEarly(program: Program, before: string): Promise<Finding> {
  const said = await program.said();
  const saw = `your program ${program.process().ending} before ${before}`;
  return new Finding({ saw, said, fix: endedEarlyFix(program, said) });
}

/** What to do about a program that ended before it was asked anything. @param said Its last words. */
function endedEarlyFix({ takesPort, port }: Program, said = ""): string {
  if (/in use|EADDRINUSE/i.test(said)) {
    return takesPort
      ? `port ${port}, which it was given, is free: does it bind() another one?`
      : "your program has a port of its own, and is started again and again: give --port N";
  }
  const unknown = takesPort
    ? "find out why it ended: read its error message, check the command, and bind() and listen()"
    : 'read its error message; if it needs its port, write "{port}" in the command';
  return startFix(said) ?? unknown;
}

/** Starts of a program whose port another program may have taken in the meantime. */
const STARTS = 3;

/** How netdemo's clients reach the program: what differs between TCP and UDP. */
export interface Clients<P extends TalkPeer> {
  /**
   * Waits until the program that was just started can be asked.
   *
   * @returns the client that found out, if it has said nothing yet: it is used first.
   * @throws {Finding} if the program can't be asked.
   */
  untilReady(): Promise<P | undefined>;
  /** A new client. @param timeout Milliseconds that connecting may take. @throws {Finding} */
  connect(timeout: number): Promise<P>;
  /** Whether connections may linger on a port that is used again. @default {false} */
  leavesTrace: boolean;
  /** Closes all clients, so that nothing of them lingers on the port. */
  closeAll(): Promise<void>;
}

/** What this server needs at the end of a request that shows no end. */
export type RequestEnd = "nothing" | "line" | "end of stream";

/** A server from check to check. */
export class ServerUnderTest<P extends TalkPeer = TalkPeer> implements Driver, AsyncDisposable {
  readonly program: Program;
  readonly settings: ServerSettings;
  readonly clients: Clients<P>;
  /** Whether it is known to serve one client after another: it can then run for several checks. */
  servesSeveral = false;
  /** What it speaks, with the request ends that it was found to need. */
  talk: Talk;
  #requestEnd: RequestEnd = "nothing";
  #first: P | undefined;
  #mustRestart = false;
  /** Whether the running program has had a client. */
  #hadClient = false;
  #patience = 1;

  constructor(program: Program, settings: ServerSettings, clients: Clients<P>) {
    this.program = program;
    this.settings = settings;
    this.clients = clients;
    this.talk = settings.subject.talk;
    if (settings.target !== undefined) program.port = settings.target.port;
  }

  /** Milliseconds to wait for each answer. */
  get timeout(): number {
    return this.settings.timeout * this.#patience;
  }

  /** What it was found to need at the end of a request that shows no end. */
  get requestEnd(): RequestEnd {
    return this.#requestEnd;
  }

  set requestEnd(end: RequestEnd) {
    const { talk } = this.settings.subject;
    this.#requestEnd = end;
    this.talk = end === "nothing" ? talk : withRequestEnds(talk, end);
  }

  /** A conversation of the lesson over this protocol, with the line ends that this server needs. */
  asItNeeds(talk: Talk): Talk {
    const { subject } = this.settings;
    const own = { ...talk, udp: subject.talk.udp };
    if (subject.talk === subject.lines) return withLineEnds(own);
    return this.#requestEnd === "nothing" ? own : withRequestEnds(own, this.#requestEnd);
  }

  /** How to play its clients. */
  get play(): PlayOptions {
    const { talk, timeout, settings: { random } } = this;
    return { talk, timeout, random, untilRead, open: () => this.connect() };
  }

  begin(patience: number): void {
    this.#patience = patience;
    this.program.isCancelled = false;
    if (this.program.child?.ended !== undefined) this.markSuspect();
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

  /** Whether a server that this run did not start can't be reached any more. */
  async isGone(): Promise<boolean> {
    if (this.settings.target === undefined) return false;
    return await this.connect().then((peer) => peer[Symbol.dispose](), () => true) ?? false;
  }

  /**
   * A new client. Starts the program if it is not running, or is not known to serve more than the
   * client that it had.
   *
   * @param joins Whether it joins the client before it. @default {false}
   * @throws {Finding}
   */
  async connect(joins = false): Promise<P> {
    if (this.#first === undefined && this.#mustStart && !joins) await this.start();
    this.#hadClient = true;
    const first = this.#first;
    this.#first = undefined;
    return first ?? await this.clients.connect(this.timeout);
  }

  /** Makes sure that it can be reached; the client that found out is used next. @throws {Finding} */
  async isReachable(): Promise<void> {
    if (this.#first === undefined && this.#mustStart) return await this.start();
    this.#first = await this.connect();
    this.#hadClient = false;
  }

  /** Starts the program afresh. @param port @default a new one @throws {Finding} */
  async start(port?: number): Promise<void> {
    await this.stop();
    const { program } = this;
    const isChosenHere = port === undefined && program.options.fixedPort === undefined;
    for (let tries = isChosenHere ? STARTS : 1;; tries--) {
      const next = port ?? await program.nextPort();
      program.start(next);
      try {
        this.#first = await this.clients.untilReady();
        this.#mustRestart = this.#hadClient = false;
        return;
      } catch (error) {
        // Another program may have taken the port in the meantime.
        const hasEnded = program.child?.ended !== undefined;
        if (tries === 1 || !hasEnded || !(error instanceof Finding)) throw error;
      }
      await program.stop();
    }
  }

  /** Ends the program, and closes what is connected to it. */
  async stop(): Promise<void> {
    this.#first = undefined;
    await this.clients.closeAll();
    await this.program.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.program[Symbol.asyncDispose]();
  }

  /** Whether the program must be started for the next client. */
  get #mustStart(): boolean {
    if (this.settings.target !== undefined) return false;
    const isSpent = this.#hadClient && !this.servesSeveral;
    return this.#mustRestart || isSpent || this.program.child === undefined;
  }
}
