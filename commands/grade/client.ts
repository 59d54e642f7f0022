import { calculate } from "../../protocol/calculator.ts";
import { listenResettable } from "../../sockets/node_stream.ts";
import type { StreamListener } from "../../sockets/stream.ts";
import { Conversation } from "./conversation.ts";
import { lastWords } from "./judge.ts";
import { type Examination, Starter } from "./server.ts";
import { DatagramClient } from "./udp_server.ts";

const LOOPBACK = ["127.0.0.1", "::1"];
/** Milliseconds that a client may take for everything. */
export const CLIENT_MS = 10_000;
/** Milliseconds that a client may take to end once it has its reply. */
export const END_MS = 4_000;
/** Milliseconds to see whether a client ends once the server has. */
const AFTER_CLOSE_MS = 1_000;
/** Milliseconds for which the connection of a client that has ended already may be on its way. */
const ARRIVAL_MS = 500;
/** Milliseconds of silence that end a request without a line end. */
const QUIET_MS = 200;
/** Bytes of a client's output that are kept: more than the longest reply. */
const KEPT = 1_000_000;

/** A request that a client has sent, and what can be done about it. */
export interface Asked {
  readonly request: Uint8Array;
  /** The right reply, with a line end if the request had one. */
  readonly reply: string;
  /** Whether the request came with a line end. */
  readonly isLine: boolean;
  send(text: string): Promise<void>;
  /** Ends the connection. */
  close(): void;
  /** Resets the connection. */
  reset(): void;
  /** UDP: sends from another port than the one that was asked. */
  sendFromElsewhere(text: string): Promise<void>;
}

/** A situation that a client is put into. */
export interface Scenario {
  readonly id: string;
  /** The server does all that a client may expect. @default {false} */
  readonly isOrdinary?: boolean;
  /** The client has nothing to wait for but its own time-out. @default {false} */
  readonly waits?: boolean;
  /** Nobody listens. @default {false} */
  readonly nobody?: boolean;
  /** The client gets a good reply, so it is expected to end soon after it. @default {false} */
  readonly replies?: boolean;
  /** What the server does about a request. @default nothing */
  answer?(asked: Asked): Promise<void>;
}

/** How a client did in a situation. */
export interface Run {
  /** Whether it connected; over UDP, whether something came. */
  readonly connected: boolean;
  readonly requests: readonly Uint8Array[];
  /** The right replies to its requests, without line ends. */
  readonly replies: readonly string[];
  /** How it ended; `undefined` if it had to be ended. */
  readonly status: Deno.CommandStatus | undefined;
  /** Whether it ended only once the server had closed the connection. */
  readonly waitedForClose: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly said: string | undefined;
}

/** A client that is examined: it is run once for each situation, several runs beside each other. */
export class ExaminedClient implements AsyncDisposable {
  readonly examination: Examination;
  /** What a calculator's client gets to type. */
  readonly input: string | undefined;
  /** The situations in which a client waits for its own time-out: they are run beside the others. */
  waiting: readonly Scenario[] = [];

  readonly #starter: Starter;
  readonly #runs = new Map<string, Promise<Run>>();
  readonly #running = new Set<Starter>();
  #nonce = 0;
  #isCancelled = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(starter: Starter) {
    this.#starter = starter;
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

  said(): Promise<undefined> {
    return Promise.resolve(undefined); // each run brings its own last words
  }

  /** How the client does in a situation. Each is run once. */
  async observe(scenario: Scenario): Promise<Run> {
    // With a port of its own a client can meet only one server at a time.
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
    await this.#starter[Symbol.asyncDispose]();
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
      `${this.#starter.mark}${this.#runs.size}.${scenario.id}.`,
    );
    starter.isCancelled = this.#isCancelled;
    this.#running.add(starter);
    const port = starter.nextPort();
    await using server = scenario.nobody
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
    while (child.ended === undefined) {
      const repliedAt = replies ? stage?.repliedAt : undefined;
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

  /** The right reply to a request, as fresh as the service allows. */
  #reply(request: string): string {
    const { service } = this.examination;
    if (service === "calc") return calculate(request);
    return service === "hello" ? "Hello" : `Thanks... ${this.#nonce}`;
  }
}

/** The server that a client meets. */
abstract class Stage implements AsyncDisposable {
  readonly requests: Uint8Array[] = [];
  readonly replies: string[] = [];
  /** When the last request was dealt with. */
  repliedAt: number | undefined;

  readonly scenario: Scenario;
  readonly #reply: (request: string) => string;
  readonly #arrival = Promise.withResolvers<void>();
  #connected = false;

  constructor(scenario: Scenario, reply: (request: string) => string) {
    this.scenario = scenario;
    this.#reply = reply;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** A client is there. */
  arrived(): void {
    this.#connected = true;
    this.#arrival.resolve();
  }

  /** Waits until a client is there, for so many milliseconds. */
  async untilConnected(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([this.#arrival.promise, late]);
    clearTimeout(timer);
  }

  /** Ends all connections. */
  abstract closeAll(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Deals with a request as the scenario has it. */
  async deal(
    request: Uint8Array,
    means: Omit<Asked, "request" | "reply" | "isLine">,
  ): Promise<void> {
    const isLine = request.at(-1) === 0x0a;
    const text = new TextDecoder().decode(request).replace(/\r?\n$/, "");
    const reply = this.#reply(text);
    this.requests.push(request);
    this.replies.push(reply);
    await this.scenario.answer?.({
      request,
      isLine,
      reply: isLine ? `${reply}\n` : reply,
      ...means,
    });
    this.repliedAt = performance.now();
  }
}

/** Serves a client over TCP. */
class StreamStage extends Stage {
  readonly #listeners: readonly StreamListener[];
  readonly #conversations = new Set<Conversation>();
  readonly #work: Promise<void>[] = [];

  private constructor(
    listeners: readonly StreamListener[],
    scenario: Scenario,
    reply: (request: string) => string,
  ) {
    super(scenario, reply);
    this.#listeners = listeners;
    this.#work = listeners.map((listener) => this.#acceptFrom(listener));
  }

  static async open(
    port: number,
    scenario: Scenario,
    reply: (request: string) => string,
  ): Promise<StreamStage> {
    const opened = await Promise.allSettled(
      LOOPBACK.map((hostname) => listenResettable({ hostname, port })),
    );
    const listeners = opened.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    return new StreamStage(listeners, scenario, reply);
  }

  closeAll(): Promise<void> {
    for (const conversation of this.#conversations) conversation.close();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await this.closeAll();
    await Promise.allSettled(this.#work);
  }

  async #acceptFrom(listener: StreamListener): Promise<void> {
    while (true) {
      try {
        const conversation = new Conversation(await listener.accept());
        this.arrived();
        this.#conversations.add(conversation);
        this.#work.push(this.#converse(conversation));
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
      }
    }
  }

  /** Takes requests as the lesson's server does: what comes, until a line end or silence. */
  async #converse(conversation: Conversation): Promise<void> {
    if (this.scenario.replies && this.scenario.answer === undefined) {
      // hello: a client is served once it is there.
      conversation.close();
      this.repliedAt = performance.now();
      return;
    }
    while (await conversation.until((bytes) => bytes.length > 0, CLIENT_MS)) {
      const isWhole = (bytes: Uint8Array): boolean => bytes.at(-1) === 0x0a;
      for (let size = 0; size !== conversation.bytes.length;) {
        size = conversation.bytes.length;
        await conversation.until((bytes) => isWhole(bytes) || bytes.length > size, QUIET_MS);
        if (isWhole(conversation.bytes)) break;
      }
      const request = conversation.bytes;
      conversation.forget();
      await this.deal(request, {
        send: (text) => conversation.send(text, CLIENT_MS),
        close: () => conversation.close(),
        reset: () => conversation.reset(),
        sendFromElsewhere: () => Promise.resolve(),
      });
    }
  }
}

/** Serves a client over UDP. */
class DatagramStage extends Stage {
  readonly #sockets: readonly DatagramClient[];
  readonly #elsewhere = new DatagramClient("127.0.0.1");
  readonly #work: Promise<void>[];
  #isOver = false;

  constructor(port: number, scenario: Scenario, reply: (request: string) => string) {
    super(scenario, reply);
    this.#sockets = LOOPBACK.flatMap((hostname) => {
      try {
        return [new DatagramClient(hostname, port)];
      } catch {
        return []; // no IPv6 here
      }
    });
    this.#work = this.#sockets.map((socket) => this.#serve(socket));
  }

  closeAll(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const socket of [...this.#sockets, this.#elsewhere]) socket[Symbol.dispose]();
    await Promise.all(this.#work);
  }

  async #serve(socket: DatagramClient): Promise<void> {
    while (!this.#isOver) {
      const received = await socket.receive(CLIENT_MS);
      if (received === undefined) continue;
      this.arrived();
      const { hostname, port } = received.from;
      const elsewhere = hostname.includes(":") ? socket : this.#elsewhere;
      await this.deal(received.bytes, {
        send: (text) => socket.send(text, hostname, port),
        close: () => {},
        reset: () => {},
        sendFromElsewhere: (text) => elsewhere.send(text, hostname, port),
      });
    }
  }
}
