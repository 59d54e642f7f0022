/** A server that does what a scenario says. netdemo plays it for the client under test. */
import { concat } from "@std/bytes/concat";
import { Changes, until } from "../../../sockets/changes.ts";
import { Dialogue, type Turn } from "../../../talk/dialogue.ts";
import type { Line, Talk } from "../../../talk/talk.ts";
import type { Random, Values } from "../../../talk/value.ts";

/** Milliseconds that a client may run in total. */
export const CLIENT_MS = 10_000;

/** Ways to respond to a request. */
export interface Actions {
  send(bytes: Uint8Array): Promise<void>;
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
  /** The right replies, a piece or a datagram each, and whether the server then ends. */
  readonly replies: readonly Uint8Array[];
  readonly ends: boolean;
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

/** What the server understood of a client, and said. */
export interface Heard {
  readonly request: Uint8Array;
  /** The server's lines in answer, with the values of the conversation so far. */
  readonly lines: readonly Line[];
  readonly values: Values;
  readonly reply: Uint8Array;
}

/** What a scripted server got, and what it said. */
export class Script {
  readonly scenario: Scenario;
  readonly talk: Talk;
  readonly heard: Heard[] = [];
  /** What fitted no line of the conversation. */
  misunderstood: Uint8Array | undefined;
  /** When the last request was handled. */
  repliedAt: number | undefined;
  /** Whether a client has arrived. */
  connected = false;
  readonly #random: Random;
  readonly #changes = new Changes();

  constructor(scenario: Scenario, talk: Talk, random: Random) {
    this.scenario = scenario;
    this.talk = talk;
    this.#random = random;
  }

  /** Records that a client has arrived; returns the server's side of its conversations. */
  arrived(): Dialogue {
    this.connected = true;
    this.#changes.notify();
    return new Dialogue(this.talk, this.#random);
  }

  /** Waits up to this many milliseconds for a client to arrive. */
  async untilConnected(milliseconds: number): Promise<void> {
    await until(() => this.connected, [this.#changes], milliseconds);
  }

  /** Greets a client, if the conversation begins so. */
  async greet(dialogue: Dialogue, actions: Actions): Promise<void> {
    const turn = dialogue.greet();
    if (turn.lines.length === 0) return;
    for (const reply of turn.replies) await actions.send(reply);
    if (turn.ends) actions.close();
    this.#keep(new Uint8Array(), turn, dialogue);
  }

  /** Handles a request as the scenario says. */
  async handle(
    request: Uint8Array,
    turn: Turn,
    dialogue: Dialogue,
    actions: Actions,
  ): Promise<void> {
    if (turn.about === "nothing known") this.misunderstood ??= request;
    if (turn.about !== "request") return;
    const { replies, ends } = turn;
    // Other lines of the same request are still to come.
    if (replies.length === 0 && !ends) return;
    const isLine = request.at(-1) === 0x0a;
    await this.scenario.answer?.({ request, isLine, replies, ends, ...actions });
    this.#keep(request, turn, dialogue);
  }

  #keep(request: Uint8Array, { lines, replies }: Turn, { values }: Dialogue): void {
    this.heard.push({ request, lines, values: new Map(values), reply: concat(replies) });
    this.repliedAt = performance.now();
  }
}

/** A scripted server that runs. */
export interface ScriptedServer extends AsyncDisposable {
  /** Ends all connections. */
  closeAll(): void;
}
