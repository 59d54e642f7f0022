import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { bindUdp } from "../../sockets/bind_udp.ts";
import { listenResettableOnAll } from "../../sockets/node_stream.ts";
import { pause } from "./changes.ts";
import { DatagramWay, isOurs } from "./datagram_way.ts";
import { Datagrams } from "./datagrams.ts";
import { FarEnd } from "./far_end.ts";
import { type Answer, Broken, type Question, since } from "./question.ts";
import { tcpQuestions } from "./tcp_questions.ts";
import { udpQuestions } from "./udp_questions.ts";
import { Way } from "./way.ts";

/** Milliseconds between tries until the forwarder is up. */
export const RETRY_MS = 250;
/** Timeout of the first try, in milliseconds. */
const FIRST_TRY_MS = 250;

/** All questions over TCP or UDP. */
export function questionsOver(protocol: "tcp" | "udp"): readonly Described[] {
  return protocol === "tcp" ? tcpQuestions : udpQuestions;
}

/** A question as the user sees it. */
export type Described = Omit<Question<unknown>, "ask">;

/** What is examined, and how long it may take. */
export interface ExaminationOptions {
  readonly protocol: "tcp" | "udp";
  /** Where the server behind the forwarder listens. */
  readonly addresses: readonly string[];
  /** Port of that server; 0 picks a free one. */
  readonly port: number;
  /** Where the forwarder may listen, tried in order. */
  readonly targets: readonly InternetEndpoint[];
  /** Milliseconds of the longest wait for anything expected. */
  readonly timeout: number;
  /** Milliseconds to leave a connection without traffic. @default {the question is not asked} */
  readonly idle?: number | undefined;
}

/** A question bound to the path that it is about. */
export interface AskedQuestion extends Described {
  ask(): Promise<Answer>;
}

/** Both ends of a forwarder, and the questions about it. */
export interface Examination extends Disposable {
  readonly questions: readonly AskedQuestion[];
  /** The port the server listens on. */
  readonly port: number;
  /** Tries a request and its reply with this timeout. @throws {Broken} if they fail. */
  reaches(timeout: number): Promise<unknown>;
  /** Input that was not from the client. */
  readonly strays: Strays;
}

/** Connections or datagrams that were not from the client. */
export interface Strays {
  readonly count: number;
  /** The first bytes of the last one that sent any. */
  readonly sample?: Uint8Array | undefined;
}

/** How a question was answered. */
export interface Outcome {
  readonly question: AskedQuestion;
  readonly answer: Answer | Broken;
  readonly elapsedMs: number;
}

/**
 * Listens where the forwarder forwards to.
 *
 * @throws {SocketFailure} of kind `BIND`.
 */
export async function openExamination(options: ExaminationOptions): Promise<Examination> {
  return options.protocol === "tcp" ? await examineTcp(options) : examineUdp(options);
}

async function examineTcp(options: ExaminationOptions): Promise<Examination> {
  const listeners = await listenResettableOnAll(options.addresses, options.port);
  const far = new FarEnd(listeners);
  const asked = tcpQuestions.filter(({ id }) => id !== "idle" || options.idle !== undefined);
  return {
    questions: putTo(new Way({ ...options, far }), asked),
    port: far.port,
    reaches: (timeout) => reply(tcpQuestions).ask(new Way({ ...options, far, timeout })),
    get strays() {
      return { count: far.strayCount, sample: far.strayBytes };
    },
    [Symbol.dispose]: () => far.close(),
  };
}

function examineUdp(options: ExaminationOptions): Examination {
  const sockets = bindUdp(options.addresses, options.port);
  const far = new Datagrams(sockets, isOurs);
  return {
    questions: putTo(new DatagramWay({ ...options, far }), udpQuestions),
    port: sockets[0]?.addr.port ?? options.port,
    reaches: (timeout) => reply(udpQuestions).ask(new DatagramWay({ ...options, far, timeout })),
    get strays() {
      return { count: far.others };
    },
    [Symbol.dispose]: () => far[Symbol.dispose](),
  };
}

/** The question that must pass before any other is asked. */
function reply<Way>(questions: readonly Question<Way>[]): Question<Way> {
  const found = questions.find(({ id }) => id === "reply");
  if (found === undefined) throw new TypeError("Cannot do without the question 'reply'");
  return found;
}

function putTo<Way>(way: Way, questions: readonly Question<Way>[]): AskedQuestion[] {
  return questions.map((question) => ({ ...question, ask: () => question.ask(way) }));
}

/** Asks a question. Only bugs are thrown. */
export async function put(question: AskedQuestion): Promise<Outcome> {
  const start = performance.now();
  try {
    const answer = await question.ask();
    return { question, answer, elapsedMs: since(start) };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { question, answer: error, elapsedMs: since(start) };
  }
}

/**
 * Waits until a request and its reply get through, or fail in a way that waiting won't fix.
 *
 * @param milliseconds The longest wait.
 * @param timeout Milliseconds of the longest try. The first tries are shorter: a forwarder that is
 * just starting may never answer them.
 */
export async function waitUntilUp(
  examination: Examination,
  milliseconds: number,
  timeout: number,
): Promise<void> {
  const end = performance.now() + milliseconds;
  let patience = FIRST_TRY_MS;
  for (let left = milliseconds; left > 0; left = end - performance.now()) {
    try {
      await examination.reaches(Math.min(patience, timeout, left));
      return;
    } catch (error) {
      if (!(error instanceof Broken) || error.kind === "ERROR") return;
    }
    await pause(Math.max(0, Math.min(RETRY_MS, end - performance.now())));
    patience *= 2;
  }
}
