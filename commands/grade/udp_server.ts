import { Finding } from "./check.ts";
import { DatagramClient, type Received } from "./datagram_client.ts";
import { LOOPBACK } from "./listener_search.ts";
import { type Expected, inHex, judge, shown, wrongAnswer } from "./judge.ts";
import {
  type ExaminedServer,
  freshQuestion,
  nothingWithin,
  type Question,
  sampleOf,
  type Starter,
} from "./server.ts";
import { ENDED_EARLY_FIX, ServerProgram } from "./server_program.ts";
import { type Listening, listeningOf, usageOf } from "./system.ts";

/** Milliseconds within which a program must begin to answer. */
const START_MS = 10_000;
/** Milliseconds between two datagrams to a starting program. */
const RETRY_MS = 50;
/** Milliseconds for an answer to arrive from a program that has already ended. */
const ANSWER_ON_ITS_WAY_MS = 200;
/** Milliseconds to wait for an answer to a bad request: silence is not a failure. */
const REACTION_MS = 200;

/** A server over UDP under examination. */
export class UdpServer extends ServerProgram<Received> implements ExaminedServer {
  #hostname: string;
  readonly #clients = new Set<DatagramClient>();

  constructor(starter: Starter) {
    super(starter);
    this.#hostname = starter.examination.target?.addresses[0] ?? "127.0.0.1";
  }

  /** Opens a socket for a new client; starts the program if it is not running. @throws {Finding} */
  async client(): Promise<DatagramClient> {
    if (this.mustStart) this.first = await this.#start();
    const client = new DatagramClient(this.#hostname.includes(":") ? "::" : "0.0.0.0");
    this.#clients.add(client);
    return client;
  }

  /** Returns the answer that proved that the program listens, or a new one. @throws {Finding} */
  async firstAnswer(): Promise<Received> {
    const first = this.takeFirst();
    if (first !== undefined) return first;
    using client = await this.client();
    const started = this.takeFirst();
    if (started !== undefined) return started;
    const { request, expected } = sampleOf(this.examination);
    await this.send(client, this.withLineEnd(request));
    return await this.#received(client, expected, request);
  }

  /** Starts the program if it is not running, and keeps its first answer. @throws {Finding} */
  async listens(): Promise<void> {
    this.first = await this.firstAnswer();
  }

  async send(client: DatagramClient, data: string | Uint8Array): Promise<void> {
    await client.send(data, this.#hostname, this.starter.port);
  }

  async exchange(): Promise<void> {
    await this.ask(freshQuestion(this.examination));
  }

  async ask(...questions: readonly Question[]): Promise<void> {
    for (const { request, expected } of questions) {
      using client = await this.client();
      await this.send(client, this.withLineEnd(request));
      await this.answered(client, expected, request);
    }
  }

  async survives(request: string | Uint8Array): Promise<void> {
    using client = await this.client();
    await this.send(client, typeof request === "string" ? this.withLineEnd(request) : request);
    const answer = await client.receive(REACTION_MS);
    const sent = typeof request === "string" ? shown(request) : inHex(request);
    const reaction = answer === undefined ? "no answer" : `it answered ${shown(answer.bytes)}`;
    await this.servesAnother(sent, reaction);
  }

  async answerTo(request: string): Promise<string> {
    using client = await this.client();
    await this.send(client, this.withLineEnd(request));
    const answer = await client.receive(this.examination.timeout);
    return new TextDecoder().decode(answer?.bytes);
  }

  /** Waits for the right answer, from any port. @throws {Finding} */
  async answered(client: DatagramClient, expected: Expected, sent: string): Promise<Received> {
    return this.judged(await this.#received(client, expected, sent), expected, sent);
  }

  /** @throws {Finding} if a datagram is not the right answer. */
  judged(received: Received, expected: Expected, sent: string): Received {
    if (judge(received.bytes, expected) === "right") return received;
    throw new Finding(wrongAnswer(received.bytes, expected, sent));
  }

  withLineEnd(request: string): string {
    return this.examination.lines ? `${request}\n` : request;
  }

  /** Whether a datagram came from the server's port. */
  isFromServer({ from }: Received): boolean {
    return from.port === this.starter.port;
  }

  async stop(): Promise<void> {
    this.first = undefined;
    for (const client of this.#clients) client[Symbol.dispose]();
    this.#clients.clear();
    await this.starter.stop();
  }

  async #received(client: DatagramClient, expected: Expected, sent: string): Promise<Received> {
    const { timeout } = this.examination;
    const received = await client.receive(timeout);
    if (received !== undefined) return received;
    const ended = await this.starter.andEnded();
    throw new Finding({
      sent: shown(sent),
      want: shown(expected.text),
      saw: nothingWithin(timeout) + ended,
      isSilence: ended === "",
    });
  }

  /** Starts the program; its first answer shows that it listens, since UDP has no connection. */
  async #start(): Promise<Received> {
    await this.stop();
    const child = this.starter.start(this.starter.nextPort());
    this.mustRestart = false;
    const { request } = sampleOf(this.examination);
    const sockets = LOOPBACK.flatMap((hostname) => socketsFor(hostname));
    const startedAt = performance.now();
    let found: readonly Listening[] = [];
    try {
      while (performance.now() - startedAt < START_MS && child.ended === undefined) {
        if (this.starter.isCancelled) break;
        for (const { hostname, client } of sockets) {
          await client.send(this.withLineEnd(request), hostname, this.starter.port);
          const answer = await client.receive(RETRY_MS / sockets.length);
          if (answer === undefined) continue;
          this.#hostname = hostname;
          return answer;
        }
        if (performance.now() - startedAt > 500) found = await this.#findPorts();
      }
      // A program may end right after its first answer, which may still be on its way.
      for (const { hostname, client } of sockets) {
        const answer = await client.receive(ANSWER_ON_ITS_WAY_MS);
        if (answer === undefined) continue;
        this.#hostname = hostname;
        return answer;
      }
    } finally {
      for (const { client } of sockets) client[Symbol.dispose]();
    }
    if (child.ended !== undefined) {
      const saw = `your program ${child.ending} before it answered`;
      throw new Finding({ saw, fix: ENDED_EARLY_FIX });
    }
    const [elsewhere] = found;
    const where = elsewhere === undefined
      ? "nothing is bound to it"
      : elsewhere.port === this.starter.port
      ? "your program is bound to it, but does not answer"
      : `your program is bound to port ${elsewhere.port}`;
    throw new Finding({ sent: request, saw: `no answer from port ${this.starter.port}: ${where}` });
  }

  /** Returns what the program is bound to; without {port}, later requests go there. */
  async #findPorts(): Promise<readonly Listening[]> {
    const pids = (await usageOf(this.starter.process().pid))?.pids ?? [];
    const found = await listeningOf(pids, "udp") ?? [];
    const [own] = found;
    if (own !== undefined && !this.starter.takesPort) this.starter.port = own.port;
    return found;
  }
}

function socketsFor(hostname: string): { hostname: string; client: DatagramClient }[] {
  try {
    return [{ hostname, client: new DatagramClient(hostname) }];
  } catch {
    return []; // no IPv6 here
  }
}
