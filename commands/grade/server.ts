import { calculate } from "../../protocol/calculator.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { Finding, type Level, levels, NO_PROCESS, type ServiceName, Skipped } from "./check.ts";
import { Child, endMarked } from "./child.ts";
import type { Expected } from "./judge.ts";
import { lastWords } from "./judge.ts";
import type { Ports } from "./ports.ts";

/** The environment variable that marks every process of a run. */
const MARK = "NETDEMO_GRADE";
/** The first request of each service, as the lesson's client sends it. */
const samples: Record<ServiceName, string> = {
  hello: "Hello",
  message: "Hello Server HBD",
  calc: "10 20 +",
};

/** What is examined and how. */
export interface Examination {
  readonly service: ServiceName;
  readonly level: Level;
  readonly protocol: "tcp" | "udp";
  /** Whether both sides use line ends. */
  readonly lines: boolean;
  /** Milliseconds to wait for each answer. */
  readonly timeout: number;
  /** Random numbers from 0 up to 1. */
  readonly random: () => number;
  readonly ports: Ports;
  /** The command that starts the program; `{port}` in it stands for the port. */
  readonly command?: readonly string[] | undefined;
  /** The fixed port that the program uses. */
  readonly fixedPort?: number | undefined;
  /** Where a server is already running, in place of a command. */
  readonly target?: { readonly addresses: readonly string[]; readonly port: number } | undefined;
  /** What a client gets on stdin. @default what the lesson's user types */
  readonly input?: string | undefined;
}

/** A request with the answer that it must get. */
export interface Question {
  readonly request: string;
  readonly expected: Expected;
}

/** What the checks for both TCP and UDP need of a server. */
export interface ExaminedServer {
  readonly examination: Examination;
  /** Asks one plain question as a new client, and checks the answer. @throws {Finding} */
  exchange(): Promise<void>;
  /** Asks each of the questions, one after another. @throws {Finding} */
  ask(...questions: readonly Question[]): Promise<void>;
  /** Sends a bad request, then checks that another client is answered. @throws {Finding} */
  survives(request: string | Uint8Array): Promise<void>;
  /**
   * Returns the answer to a request, whatever it is; empty if there is none.
   *
   * @param right The right answer: nothing more is waited for once it is there.
   */
  answerTo(request: string, right?: string): Promise<string>;
  /** Marks the program as possibly broken: it is restarted for the next client. */
  doubt(): void;
}

/** Starts and stops the examined program. */
export class Starter implements AsyncDisposable {
  /** Factor by which the timeout for each answer is multiplied. */
  patience = 1;
  /** The program that was started last, until it is stopped. */
  child: Child | undefined;
  /** Where the program was told to listen. */
  port = 0;
  /** Marks the environment of all it starts; the dot at its end keeps marks from being prefixes. */
  readonly mark: string;
  readonly #examination: Examination;
  #saidFrom = 0;

  constructor(examination: Examination, mark = `${crypto.randomUUID()}.`) {
    this.#examination = examination;
    this.mark = mark;
  }

  get examination(): Examination {
    const { timeout } = this.#examination;
    return { ...this.#examination, timeout: timeout * this.patience };
  }

  /** Whether the program's port is known: it is fixed, or {port} stands for it. */
  get takesPort(): boolean {
    return this.examination.fixedPort !== undefined ||
      (this.examination.command ?? []).some((word) => word.includes("{port}"));
  }

  /** Whether nothing may be started any more, because the check is over. */
  isCancelled = false;

  /**
   * Starts the program on a port.
   *
   * @throws {CannotStart}
   * @throws {Finding} if the check is over, or the folder to start it in is gone.
   */
  start(port: number, stdin?: string, kept?: number): Child {
    if (this.isCancelled) throw new Finding({ saw: "the check was over" });
    const { command = [] } = this.examination;
    this.port = port;
    this.#saidFrom = 0;
    this.child = new Child({
      command: command.map((word) => word.replaceAll("{port}", String(port))),
      env: { PORT: String(port), [MARK]: this.mark },
      stdin,
      kept,
    });
    return this.child;
  }

  /** A port for the next start. */
  nextPort(): number {
    return this.examination.fixedPort ?? this.examination.ports.take();
  }

  /** Ends the program and everything it started. */
  async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined) return;
    const endedBefore = child.ended !== undefined;
    await child.stop();
    // A program that moved itself into the background still runs, and may hold the port.
    if (endedBefore) await endMarked(`${MARK}=${this.mark}`);
  }

  /** Makes {@linkcode said} ignore what the program has printed so far. */
  listenToStderr(): void {
    this.#saidFrom = this.child?.stderr.size ?? 0;
  }

  /** The program's last words on stderr. */
  async said(): Promise<string | undefined> {
    if (this.child === undefined) return undefined;
    if (this.child.ended !== undefined) await this.child.printed();
    return lastWords(this.child.stderr.tailFrom(this.#saidFrom));
  }

  /** `; your program ended (exit code 1)`, if it did. */
  async andEnded(): Promise<string> {
    const how = await this.child?.howItEnded();
    return how === undefined ? "" : `; ${how}`;
  }

  /** Returns the child, for checks of the process. @throws {Skipped} if there is none. */
  process(): Child {
    if (this.child !== undefined) return this.child;
    throw new Skipped(NO_PROCESS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await endMarked(`${MARK}=${this.mark}`);
  }
}

/** The lesson's own request, with its answer. */
export function sampleOf({ service }: Examination): Question {
  return questionOf(service, samples[service]);
}

/** Returns a new question, as far as the service allows. */
export function freshQuestion({ service, random }: Examination): Question {
  const number = (): number => 1 + Math.floor(random() * 9_999);
  const requests: Record<ServiceName, () => string> = {
    hello: () => samples.hello,
    message: () => `Hello Server ${number()}`,
    calc: () => `${number()} ${number()} +`,
  };
  return questionOf(service, requests[service]());
}

function questionOf(service: ServiceName, request: string): Question {
  const answers: Record<ServiceName, () => string> = {
    hello: () => request,
    message: () => "Thanks...",
    calc: () => calculate(request),
  };
  return { request, expected: { text: answers[service]() } };
}

/** A calculator's question; below `stream` a quotient may be written in any way. */
export function calculation(request: string, level: Level): Question {
  const text = calculate(request);
  const [, after, digits] = /^(Div of .* is )(.*)$/.exec(text) ?? [];
  const exact = after === undefined || levels.indexOf(level) >= levels.indexOf("stream");
  return {
    request,
    expected: exact ? { text } : { text, number: { after, value: Number(digits) } },
  };
}

/** `nothing within 2s`. */
export function nothingWithin(milliseconds: number): string {
  return `nothing within ${formatDuration(milliseconds)}`;
}
