import { calculate } from "../../protocol/calculator.ts";
import { lastWords } from "./judge.ts";
import { type Examination, Starter } from "./server.ts";
import { CLIENT_MS, DatagramStage, type Scenario, type Stage, StreamStage } from "./stages.ts";

/** Milliseconds that a client may take to end once it has its reply. */
export const END_MS = 4_000;
/** Milliseconds to wait for a client to end once the server has closed. */
const AFTER_CLOSE_MS = 1_000;
/** Milliseconds that a connection may take to arrive after its client has ended. */
const ARRIVAL_MS = 500;
/** Bytes kept of a client's output: more than the longest reply. */
const KEPT = 1_000_000;

/** How a client behaved in a scenario. */
export interface Run {
  /** Whether it connected; over UDP, whether a datagram arrived. */
  readonly connected: boolean;
  readonly requests: readonly Uint8Array[];
  /** The correct replies to its requests, without line ends. */
  readonly replies: readonly string[];
  /** How it ended; `undefined` if it had to be stopped. */
  readonly status: Deno.CommandStatus | undefined;
  /** Whether it ended only once the server had closed the connection. */
  readonly waitedForClose: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly said: string | undefined;
}

/** A client under examination. It runs once for each scenario, several runs at the same time. */
export class ExaminedClient implements AsyncDisposable {
  readonly examination: Examination;
  /** What a calculator client gets on stdin. */
  readonly input: string | undefined;
  /** The scenarios in which a client waits for its own timeout: they run alongside the others. */
  waiting: readonly Scenario[] = [];

  readonly starter: Starter;
  readonly #runs = new Map<string, Promise<Run>>();
  readonly #running = new Set<Starter>();
  #nonce = 0;
  #isCancelled = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(starter: Starter) {
    this.starter = starter;
    this.examination = starter.examination;
    const { service, random, input } = starter.examination;
    this.#nonce = 1_000 + Math.floor(random() * 8_999);
    this.input = input ?? (service === "calc" ? `${this.#nonce} 20 +\n` : undefined);
  }

  beginCheck(): void {}

  doubt(): void {}

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    await this.stop();
  }

  isGone(): Promise<boolean> {
    return Promise.resolve(false); // each run starts it afresh
  }

  said(): Promise<undefined> {
    return Promise.resolve(undefined); // each run brings its own last words
  }

  /** Returns how the client behaves in a scenario. Each is run once. */
  async observe(scenario: Scenario): Promise<Run> {
    // With a fixed port, a client can meet only one server at a time.
    if (!scenario.isOrdinary && this.examination.fixedPort === undefined) {
      for (const each of this.waiting) this.#begin(each);
    }
    return await this.#begin(scenario);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((starter) => starter.stop()));
    await Promise.allSettled(this.#runs.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.starter[Symbol.asyncDispose]();
  }

  #begin(scenario: Scenario): Promise<Run> {
    const known = this.#runs.get(scenario.id);
    if (known !== undefined) return known;
    const run = this.examination.fixedPort === undefined
      ? this.#run(scenario)
      : this.#turn.then(() => this.#run(scenario));
    this.#turn = run.catch(() => {});
    this.#runs.set(scenario.id, run);
    return run;
  }

  async #run(scenario: Scenario): Promise<Run> {
    const starter = new Starter(
      this.examination,
      `${this.starter.mark}${this.#runs.size}.${scenario.id}.`,
    );
    starter.isCancelled = this.#isCancelled;
    this.#running.add(starter);
    const port = starter.nextPort();
    await using server = scenario.noServer
      ? undefined
      : this.examination.protocol === "udp"
      ? new DatagramStage(port, scenario, this.#reply.bind(this))
      : await StreamStage.open(port, scenario, this.#reply.bind(this));
    try {
      return await this.#watch(starter, port, scenario, server);
    } finally {
      await starter.stop();
      this.#running.delete(starter);
    }
  }

  async #watch(
    starter: Starter,
    port: number,
    { replies = false }: Scenario,
    stage: Stage | undefined,
  ): Promise<Run> {
    const child = starter.start(port, this.input, KEPT);
    const startedAt = performance.now();
    let waitedForClose = false;
    let repliedAt: number | undefined;
    while (child.ended === undefined) {
      // The first reply counts: a client that asks again and again would never be late otherwise.
      if (replies) repliedAt ??= stage?.repliedAt;
      const until = repliedAt === undefined ? startedAt + CLIENT_MS : repliedAt + END_MS;
      if (performance.now() > until) {
        // Over UDP there is nothing to close.
        if (stage === undefined || this.examination.protocol === "udp") break;
        await stage.closeAll();
        waitedForClose = await child.endsWithin(AFTER_CLOSE_MS);
        break;
      }
      await child.endsWithin(Math.min(50, until - performance.now() + 1));
    }
    const status = child.ended;
    if (status !== undefined) await child.printed();
    // A client that has ended may have connected a moment ago.
    await stage?.untilConnected(ARRIVAL_MS);
    return {
      connected: stage?.connected ?? false,
      requests: stage?.requests ?? [],
      replies: stage?.replies ?? [],
      status,
      waitedForClose,
      stdout: child.stdout.text,
      stderr: child.stderr.text,
      said: lastWords(child.stderr.tailFrom(0)),
    };
  }

  /** The correct reply to a request, with a new number in it where the service allows. */
  #reply(request: string): string {
    const { service } = this.examination;
    if (service === "calc") return calculate(request);
    return service === "hello" ? "Hello" : `Thanks... ${this.#nonce}`;
  }
}
