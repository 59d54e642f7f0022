import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { bindUdp } from "../../sockets/bind_udp.ts";
import { listenResettableOnAll } from "../../sockets/node_stream.ts";
import type { Outcome } from "../../suite/outcome.ts";
import { run } from "../../suite/runner.ts";
import { withNeeds } from "../../suite/selection.ts";
import { Finding, type Test, type TestFacts } from "../../suite/test.ts";
import { pause } from "./changes.ts";
import { DatagramWay, isOurs } from "./datagram_way.ts";
import { Datagrams } from "./datagrams.ts";
import { FarEnd } from "./far_end.ts";
import { tcpQuestions } from "./tcp_questions.ts";
import { udpQuestions } from "./udp_questions.ts";
import { Way } from "./way.ts";

/** Milliseconds between tries until the forwarder is up. */
export const RETRY_MS = 250;
/** Timeout of the first try, in milliseconds. */
const FIRST_TRY_MS = 250;

/** All questions over TCP or UDP. */
export function questionsOver(protocol: "tcp" | "udp"): readonly TestFacts[] {
  return protocol === "tcp" ? tcpQuestions : udpQuestions;
}

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

/** Both ends of a forwarder, and the questions about it. */
export interface Examination extends Disposable {
  /** The port the server listens on. */
  readonly port: number;
  /** Asks the questions, one after another. @param only Ids of the questions; all by default. */
  ask(
    only: ReadonlySet<string> | undefined,
    allow: ReadonlySet<string>,
  ): AsyncGenerator<Outcome>;
  /** Tries a request and its reply with this timeout. @throws {Finding} if they fail. */
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

/**
 * Listens where the forwarder forwards to.
 *
 * @throws {SocketFailure} of kind `BIND`.
 */
export async function openExamination(options: ExaminationOptions): Promise<Examination> {
  return options.protocol === "tcp" ? await examineTcp(options) : await examineUdp(options);
}

async function examineTcp(options: ExaminationOptions): Promise<Examination> {
  const listeners = await listenResettableOnAll(options.addresses, options.port);
  const far = new FarEnd(listeners);
  const asked = tcpQuestions.filter(({ id }) => id !== "idle" || options.idle !== undefined);
  return {
    port: far.port,
    ask: (only, allow) => run(withNeeds(asked, only), new Way({ ...options, far }), { allow }),
    reaches: (timeout) => reply(tcpQuestions).run(new Way({ ...options, far, timeout })),
    get strays() {
      return { count: far.strayCount, sample: far.strayBytes };
    },
    [Symbol.dispose]: () => far.close(),
  };
}

async function examineUdp(options: ExaminationOptions): Promise<Examination> {
  const sockets = await bindUdp(options.addresses, options.port);
  const far = new Datagrams(sockets, isOurs);
  return {
    port: sockets[0]?.addr.port ?? options.port,
    ask: (only, allow) =>
      run(withNeeds(udpQuestions, only), new DatagramWay({ ...options, far }), { allow }),
    reaches: (timeout) => reply(udpQuestions).run(new DatagramWay({ ...options, far, timeout })),
    get strays() {
      return { count: far.others };
    },
    [Symbol.dispose]: () => far[Symbol.dispose](),
  };
}

/** The question that must pass before any other is asked. */
function reply<Way>(questions: readonly Test<Way>[]): Test<Way> {
  const found = questions.find(({ id }) => id === "reply");
  if (found === undefined) throw new TypeError("Cannot do without the question 'reply'");
  return found;
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
      if (!(error instanceof Finding) || (error.evidence.kind ?? "ERROR") === "ERROR") return;
    }
    await pause(Math.max(0, Math.min(RETRY_MS, end - performance.now())));
    patience *= 2;
  }
}
