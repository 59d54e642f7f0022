import { listenResettable } from "../../sockets/node_stream.ts";
import type { StreamListener } from "../../sockets/stream.ts";
import { Conversation } from "./conversation.ts";
import { DatagramClient } from "./datagram_client.ts";
import { LOOPBACK, ownAddresses } from "./listener_search.ts";
import { unreadAt } from "./system.ts";
import { pause, within } from "./waits.ts";

/** Milliseconds that a client may run in total. */
export const CLIENT_MS = 10_000;
/** Milliseconds of silence that end a request without a line end. */
const QUIET_MS = 200;
/** Milliseconds within which a client reads what has arrived, if it reads at all. */
const READ_MS = 2_000;
/** Milliseconds after which a client has likely read what has arrived. */
const PIECE_MS = 80;

/** A request from a client, and the ways to respond to it. */
export interface Asked {
  readonly request: Uint8Array;
  /** The correct reply, with a line end if the request had one. */
  readonly reply: string;
  /** Whether the request came with a line end. */
  readonly isLine: boolean;
  send(text: string): Promise<void>;
  /** Waits until the client has read what was sent, or is likely to have. */
  untilRead(): Promise<void>;
  /** Ends the connection. */
  close(): void;
  /** Resets the connection. */
  reset(): void;
  /** UDP: sends from a port other than the one that the request went to. */
  sendFromElsewhere(text: string): Promise<void>;
}

/** A situation that a client is put into. */
export interface Scenario {
  readonly id: string;
  /** The server does everything that a client may expect. @default {false} */
  readonly isOrdinary?: boolean;
  /** The client has nothing to wait for but its own timeout. @default {false} */
  readonly waits?: boolean;
  /** No server listens. @default {false} */
  readonly noServer?: boolean;
  /** The client gets a good reply, and must end soon afterwards. @default {false} */
  readonly replies?: boolean;
  /** How the server responds to a request. @default nothing */
  answer?(asked: Asked): Promise<void>;
}

/** The server that a client meets. */
export abstract class Stage implements AsyncDisposable {
  readonly requests: Uint8Array[] = [];
  readonly replies: string[] = [];
  /** When the last request was handled. */
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

  /** Records that a client has arrived. */
  arrived(): void {
    this.#connected = true;
    this.#arrival.resolve();
  }

  /** Waits up to this many milliseconds for a client to arrive. */
  async untilConnected(milliseconds: number): Promise<void> {
    await within(milliseconds, this.#arrival.promise);
  }

  /** Ends all connections. */
  abstract closeAll(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Handles a request as the scenario says. */
  async handle(
    request: Uint8Array,
    actions: Omit<Asked, "request" | "reply" | "isLine">,
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
      ...actions,
    });
    this.repliedAt = performance.now();
  }
}

/** Serves a client over TCP. */
export class StreamStage extends Stage {
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
    // The lesson's programs may connect to this host's own name, which is often 127.0.1.1.
    const own = (await ownAddresses()).filter((address) => address.startsWith("127."));
    const opened = await Promise.allSettled(
      [...new Set([...LOOPBACK, ...own])].map((hostname) => listenResettable({ hostname, port })),
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

  /** Reads requests as the lesson's server does: whatever arrives up to a line end or silence. */
  async #converse(conversation: Conversation): Promise<void> {
    if (this.scenario.replies && this.scenario.answer === undefined) {
      // hello: a client is served as soon as it connects.
      conversation.close();
      this.repliedAt = performance.now();
      return;
    }
    while (await conversation.until((bytes) => bytes.length > 0, CLIENT_MS)) {
      await conversation.untilQuiet(QUIET_MS);
      const request = conversation.bytes;
      conversation.forget();
      // A late line end belongs to the request before it.
      if (request.every((byte) => byte === 0x0a || byte === 0x0d)) continue;
      await this.handle(request, {
        send: (text) => conversation.send(text, CLIENT_MS),
        untilRead: () => untilRead(conversation.remotePort),
        close: () => conversation.close(),
        reset: () => conversation.reset(),
        sendFromElsewhere: () => Promise.resolve(),
      });
    }
    // The lesson's server closes once its client has ended its side; a silent one does nothing.
    if (this.scenario.replies) conversation.close();
  }
}

/** Waits until the program at the other end of a connection has read all that was sent to it. */
async function untilRead(port: number): Promise<void> {
  const until = performance.now() + READ_MS;
  while (performance.now() < until) {
    const unread = await unreadAt(port);
    if (unread === 0) return;
    // Without a tool that shows this, a pause must do.
    await pause(unread === undefined ? PIECE_MS : 2);
    if (unread === undefined) return;
  }
}

/** A server's socket, and one at another port of the same address. */
interface StageSocket {
  readonly server: DatagramClient;
  readonly elsewhere: DatagramClient;
}

/** @throws if the address or the port is not available. */
function openStageSocket(hostname: string, port: number): StageSocket {
  const server = new DatagramClient(hostname, port);
  return { server, elsewhere: new DatagramClient(hostname) };
}

/** Serves a client over UDP. */
export class DatagramStage extends Stage {
  readonly #sockets: readonly StageSocket[];
  readonly #work: Promise<void>[];
  #isOver = false;

  constructor(port: number, scenario: Scenario, reply: (request: string) => string) {
    super(scenario, reply);
    this.#sockets = LOOPBACK.flatMap((hostname) => {
      try {
        return [openStageSocket(hostname, port)];
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
    for (const { server, elsewhere } of this.#sockets) {
      server[Symbol.dispose]();
      elsewhere[Symbol.dispose]();
    }
    await Promise.all(this.#work);
  }

  async #serve({ server, elsewhere }: StageSocket): Promise<void> {
    while (!this.#isOver) {
      const received = await server.receive(CLIENT_MS);
      if (received === undefined) continue;
      this.arrived();
      const { hostname, port } = received.from;
      await this.handle(received.bytes, {
        send: (text) => server.send(text, hostname, port),
        untilRead: () => Promise.resolve(),
        close: () => {},
        reset: () => {},
        sendFromElsewhere: (text) => elsewhere.send(text, hostname, port),
      });
    }
  }
}
