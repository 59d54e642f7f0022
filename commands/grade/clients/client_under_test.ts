/** A client under test. netdemo plays its server. */
import type { Driver } from "../../../suite/runner.ts";
import { lastWordsAndLine } from "../program/last_words.ts";
import type { Program } from "../program/program.ts";
import { sampleOf } from "../conversations.ts";
import type { Talk, Token } from "../../../talk/talk.ts";
import { drawAll, type Random, type Values } from "../../../talk/value.ts";
import { render } from "../../../talk/render.ts";
import { shown } from "../evidence.ts";
import type { Subject } from "../subjects.ts";
import { playTcpServer } from "./playing_tcp_server.ts";
import { playUdpServer } from "./playing_udp_server.ts";
import {
  CLIENT_MS,
  type Heard,
  type Scenario,
  Script,
  type ScriptedServer,
} from "./scripted_server.ts";

/** What the tests of a client are given. */
interface ClientSettings {
  readonly subject: Subject;
  /** Random numbers from 0 up to 1. */
  readonly random: Random;
  /** The scenarios in which it waits for its own timeout: they run alongside the others. */
  readonly waiting: readonly Scenario[];
}

/** Milliseconds that a client may take to end once it has its reply. */
export const END_MS = 4_000;
/** Milliseconds to wait for a client to end once the server has closed. */
const AFTER_CLOSE_MS = 1_000;
/** Milliseconds that a connection may take to arrive after its client has ended. */
const ARRIVAL_MS = 500;
/** How many ports to try. */
const PORT_TRIES = 3;
/** Bytes kept of a client's output: more than the longest reply. */
const KEPT = 1_000_000;

/** How a client behaved in a scenario. */
export interface Run {
  /** Whether it connected; over UDP, whether a datagram arrived. */
  readonly connected: boolean;
  /** What the server understood. */
  readonly heard: readonly Heard[];
  /** What it did not understand. */
  readonly misunderstood: Uint8Array | undefined;
  /** How it ended; `undefined` if it had to be stopped. */
  readonly status: Deno.CommandStatus | undefined;
  /** Whether it ended only once the server had closed the connection. */
  readonly waitedForClose: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly said: string | undefined;
}

/** A client that is run once for each scenario, several runs at the same time. */
export class ClientUnderTest implements Driver, AsyncDisposable {
  readonly settings: ClientSettings;
  /** What it gets on stdin: unless the user says so, what the lesson's user types. */
  readonly input: string | undefined;
  readonly #program: Program;
  readonly #runs = new Map<string, Promise<Run>>();
  readonly #running = new Set<Program>();
  /** The values of what is typed. */
  readonly typed: Values;
  /** An error reply with a number that the client can't know. */
  readonly error: string;
  #isCancelled = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(program: Program, settings: ClientSettings) {
    const { subject: { talk }, random } = settings;
    this.settings = settings;
    this.#program = program;
    this.typed = drawAll(sampleOf(talk), talk, random);
    this.error = `Error: the server is tired of ${1_000_000 + Math.floor(random() * 8_999_999)}`;
    this.input = program.options.input ?? typedText(talk, this.typed, random);
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    await this.#stop();
  }

  /** Returns how the client behaves in a scenario. Each is run once. */
  async observe(scenario: Scenario): Promise<Run> {
    // With a fixed port, a client can meet only one server at a time.
    if (!scenario.isOrdinary && !this.#hasFixedPort) {
      for (const each of this.settings.waiting) this.#begin(each);
    }
    return await this.#begin(scenario);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.#program[Symbol.asyncDispose]();
  }

  get #hasFixedPort(): boolean {
    return this.#program.options.fixedPort !== undefined;
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#running].map((program) => program.stop()));
    await Promise.allSettled(this.#runs.values());
  }

  #begin(scenario: Scenario): Promise<Run> {
    const known = this.#runs.get(scenario.id);
    if (known !== undefined) return known;
    const run = this.#hasFixedPort
      ? this.#turn.then(() => this.#run(scenario))
      : this.#run(scenario);
    this.#turn = run.catch(() => {});
    this.#runs.set(scenario.id, run);
    return run;
  }

  async #run(scenario: Scenario): Promise<Run> {
    const program = this.#program.another(`${this.#runs.size}.${scenario.id}`);
    program.isCancelled = this.#isCancelled;
    this.#running.add(program);
    const { subject: { talk }, random } = this.settings;
    const script = new Script(scenario, talk, random);
    const [port, served] = await this.#serve(program, script);
    await using server = served;
    try {
      program.start(port, { stdin: this.input, kept: KEPT });
      return await this.#watch(program, script, server);
    } finally {
      await program.stop();
      this.#running.delete(program);
    }
  }

  /** Serves at a port for the program. @throws {SocketFailure} if another program has its port. */
  async #serve(
    program: Program,
    script: Script,
  ): Promise<[port: number, server: ScriptedServer | undefined]> {
    const play = this.settings.subject.protocol === "udp" ? playUdpServer : playTcpServer;
    for (let tries = this.#hasFixedPort ? 1 : PORT_TRIES;; tries--) {
      const port = await program.nextPort();
      if (script.scenario.noServer) return [port, undefined];
      try {
        return [port, await play(port, script)];
      } catch (error) {
        // Another program may have taken it in the meantime.
        if (tries === 1) throw error;
      }
    }
  }

  async #watch(
    program: Program,
    script: Script,
    server: ScriptedServer | undefined,
  ): Promise<Run> {
    const child = program.process();
    const startedAt = performance.now();
    let waitedForClose = false;
    let repliedAt: number | undefined;
    while (child.ended === undefined) {
      // The first reply counts: a client that asks again and again would never be late otherwise.
      if (script.scenario.replies) repliedAt ??= script.repliedAt;
      const until = repliedAt === undefined ? startedAt + CLIENT_MS : repliedAt + END_MS;
      if (performance.now() > until) {
        // Over UDP there is nothing to close.
        if (server === undefined || this.settings.subject.protocol === "udp") break;
        server.closeAll();
        waitedForClose = await child.endsWithin(AFTER_CLOSE_MS);
        break;
      }
      await child.endsWithin(Math.min(50, until - performance.now() + 1));
    }
    const status = child.ended;
    if (status !== undefined) await child.printed();
    // A client that has ended may have connected a moment ago.
    if (server !== undefined) await script.untilConnected(ARRIVAL_MS);
    const { connected, heard, misunderstood } = script;
    return {
      ...{ connected, heard, misunderstood, status, waitedForClose },
      stdout: child.stdout.text,
      stderr: child.stderr.text,
      said: lastWordsAndLine(child.stderr.tailFrom(0)),
    };
  }
}

/** Most characters of what a client printed that are shown whole. */
const SHOWN = 60;

/** `it printed: ...`, all that a client printed, or the last line of a long text. */
export function printedBy(run: Run): string {
  const text = run.stdout.trim();
  if (text === "") return "it printed nothing on stdout";
  return `it printed: ${shown(text.length <= SHOWN ? text : lastLine(text))}`;
}

export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

/**
 * What the user of a client types: what the file says, or what the client sends, a line each;
 * `undefined` if nothing.
 */
function typedText(talk: Talk, values: Values, random: Random): string | undefined {
  const known = new Map(values);
  const text = (tokens: readonly Token[]): string => {
    const typed = tokens.filter(({ kind }) => kind !== "length");
    return new TextDecoder().decode(render(typed, known, { talk, random })).replace(/\r?\n$/, "");
  };
  const typed: string[] = [];
  let isTyped = false;
  for (const { says, tokens } of sampleOf(talk).lines) {
    if (says === "typed") typed.push(text(tokens));
    const sent = says === "client" ? text(tokens) : "";
    if (!isTyped && sent !== "") typed.push(sent);
    isTyped = says === "typed";
  }
  return typed.length === 0 ? undefined : typed.map((line) => `${line}\n`).join("");
}
