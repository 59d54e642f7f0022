/** A server that does what a scenario says. netdemo plays it for the client under test. */
import { Changes, until } from "../../../sockets/changes.ts";

/** Milliseconds that a client may run in total. */
export const CLIENT_MS = 10_000;

/** Ways to respond to a request. */
export interface Actions {
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

/** A request from a client, and the ways to respond to it. */
export interface Asked extends Actions {
  readonly request: Uint8Array;
  /** The correct reply, with a line end if the request had one. */
  readonly reply: string;
  /** An error that is a correct reply, too, and that nobody can work out. */
  readonly errorReply: string;
  /** Whether the request came with a line end. */
  readonly isLine: boolean;
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

/** What a scripted server may reply, without line ends. */
export interface Replies {
  /** The correct reply to a request. */
  correct(request: string): string;
  readonly error: string;
}

/** What a scripted server got, and what it said. */
export class Script {
  readonly scenario: Scenario;
  readonly requests: Uint8Array[] = [];
  readonly replies: string[] = [];
  /** When the last request was handled. */
  repliedAt: number | undefined;
  /** Whether a client has arrived. */
  connected = false;
  readonly #changes = new Changes();
  readonly #replies: Replies;

  constructor(scenario: Scenario, replies: Replies) {
    this.scenario = scenario;
    this.#replies = replies;
  }

  /** Records that a client has arrived. */
  arrived(): void {
    this.connected = true;
    this.#changes.notify();
  }

  /** Waits up to this many milliseconds for a client to arrive. */
  async untilConnected(milliseconds: number): Promise<void> {
    await until(() => this.connected, [this.#changes], milliseconds);
  }

  /** Handles a request as the scenario says. */
  async handle(request: Uint8Array, actions: Actions): Promise<void> {
    const isLine = request.at(-1) === 0x0a;
    const text = new TextDecoder().decode(request).replace(/\r?\n$/, "");
    const reply = this.#replies.correct(text);
    this.requests.push(request);
    this.replies.push(reply);
    const lineEnd = isLine ? "\n" : "";
    const asked = {
      ...actions,
      ...{ request, isLine, reply: reply + lineEnd, errorReply: this.#replies.error + lineEnd },
    };
    await this.scenario.answer?.(asked);
    this.repliedAt = performance.now();
  }
}

/** A scripted server that runs. */
export interface ScriptedServer extends AsyncDisposable {
  /** Ends all connections. */
  closeAll(): void;
}
