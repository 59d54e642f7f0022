/** Holds conversations with a server under test, and says what is wrong with its side. */
import { delay } from "@std/async/delay";
import { type DeviationFacts, TalkDeviation } from "../../../talk/deviation.ts";
import type { TalkPeer } from "../../../clients/call/talk_peer.ts";
import { type PlayOptions, TalkPlayer } from "../../../clients/call/talk_player.ts";
import { type Evidence, Finding } from "../../../suite/test.ts";
import { parseRational } from "../../../talk/rational.ts";
import { type Conversation, type Line, namesIn, type Token } from "../../../talk/talk.ts";
import { describe } from "../../../talk/render.ts";
import { numberValue, type Value, type Values } from "../../../talk/value.ts";
import { hasOneClient, requestsOf, saidIn, sampleOf } from "../conversations.ts";
import { replyEvidence, withEvidence } from "../evidence.ts";
import type { RequestEnd, ServerUnderTest } from "./server_under_test.ts";

/** Milliseconds that a server gets to remember its new clients. */
const GATHER_MS = 50;

/** What is held, and how; the server's sample as a rule. */
export interface Holding extends Partial<Pick<PlayOptions, "talk" | "send" | "open" | "timeout">> {
  readonly conversation?: Conversation;
  /** Values known before. */
  readonly values?: Values;
}

/** A client that holds a conversation. Disposing closes its connections. */
export class Client<P extends TalkPeer = TalkPeer> implements Disposable {
  readonly #server: ServerUnderTest<P>;
  readonly #player: TalkPlayer;
  readonly conversation: Conversation;
  /** The last reply, with its line. */
  reply: { readonly line: Line; readonly bytes: Uint8Array } | undefined;
  /** The last reply that has values in it, and so differs from others. */
  told: Uint8Array | undefined;

  constructor(server: ServerUnderTest<P>, holding: Holding = {}) {
    const { talk = server.talk, conversation = sampleOf(talk), values, send, open } = holding;
    const { timeout = server.timeout } = holding;
    this.#server = server;
    this.conversation = conversation;
    this.#player = new TalkPlayer(conversation, {
      ...server.play,
      ...{ talk, timeout },
      ...(send && { send }),
      // Each of several clients that talk to each other meets the same running program.
      open: open ?? (() => server.connect(this.#player.peers.size > 0)),
      said: (line, bytes) => {
        if (line.says !== "server") return;
        this.reply = { line, bytes };
        if (tells(line.tokens)) this.told = bytes;
      },
    }, values);
  }

  /** How the server's side went wrong, if it did. */
  deviation: DeviationFacts | undefined;

  /** What the server seems to need after a request that it did not answer. */
  get needs(): Exclude<RequestEnd, "nothing"> | undefined {
    return needed[this.deviation?.hint ?? "speaks first"];
  }

  get values(): Map<string, Value> {
    return this.#player.values;
  }

  /** Holds it, up to before a line. @throws {Finding} if the server's side goes wrong. */
  async hold(before?: Line): Promise<void> {
    try {
      await this.#gather();
      await this.#player.play(before);
    } catch (error) {
      if (!(error instanceof TalkDeviation)) throw error;
      throw new Finding(await this.#evidence(error.facts));
    }
  }

  /** Where there are several clients, all of them are there before the first says something. */
  async #gather(): Promise<void> {
    const names = new Set(this.conversation.lines.map(({ client }) => client));
    if (names.size < 2 || this.#player.peers.size > 0) return;
    for (const name of names) if (name !== "") await this.peer(name);
    // A server that has accepted a client may take a moment to remember it.
    await delay(GATHER_MS);
  }

  /** Closes as clients do that have all they wanted, and lets the server do the same. */
  async leave(): Promise<void> {
    await this.#player.leave();
  }

  /** Holds what comes before the first request, such as a greeting. @throws {Finding} */
  async begin(): Promise<P> {
    const first = requestsOf(this.conversation)[0];
    if (first !== undefined) await this.hold(first);
    return await this.peer();
  }

  /** One end of its connection, which is opened if it has none yet. */
  async peer(client = ""): Promise<P> {
    return await this.#player.peer(client) as P;
  }

  get peers(): readonly P[] {
    return [...this.#player.peers.values()] as P[];
  }

  [Symbol.dispose](): void {
    this.#player[Symbol.dispose]();
  }

  async #evidence(facts: DeviationFacts): Promise<Evidence> {
    const { program, settings: { subject } } = this.#server;
    this.deviation = facts;
    const { line } = facts;
    const greets = !subject.isFile && requestsOf(this.conversation).length === 0;
    const evidence = await replyEvidence(this.#withOwnValues(facts), program, {
      before: this.reply?.bytes,
      blames: subject.calculates ? "operations" : greets ? "next-client" : "answers",
      isDatagram: subject.talk.udp,
      isFile: subject.isFile,
    });
    const { number, source, comment } = line;
    if (!subject.isFile) return evidence;
    const about = `line ${number}: ${source}${comment === undefined ? "" : ` (${comment})`}`;
    return { ...evidence, want: `${evidence.want ?? ""}\n${about}` };
  }

  /** A server may choose values: what it should have said is then shown with its own. */
  #withOwnValues(facts: DeviationFacts): DeviationFacts {
    const { line, came, wanted, right } = facts;
    const known = this.values;
    if (describe([line], known) !== wanted) return facts; // it is about several lines
    const own = saidIn(line, came, { talk: this.#server.talk, known });
    if (own === undefined) return facts;
    const isLength = line.tokens[0]?.kind === "length";
    return {
      ...facts,
      wanted: describe([line], new Map([...known, ...own])),
      right: isLength ? 0 : right,
    };
  }
}

/** Whether a reply has values in it. */
export function tells(tokens: readonly Token[]): boolean {
  return namesIn(tokens).length > 0;
}

const needed = {
  "needs line end": "line",
  "needs more bytes": "end of stream",
  "speaks first": undefined,
} as const;

/** Holds a conversation as a new client, all of it. @throws {Finding} if the server's side goes wrong. */
export async function exchange(server: ServerUnderTest, holding?: Holding): Promise<void> {
  using client = new Client(server, holding);
  await client.hold();
  // What is said in the next conversation must not go to those that are still leaving.
  if (!hasOneClient(client.conversation)) await client.leave();
}

/** Holds the sample for a check that is not about answers. @throws {Finding} */
export async function exchangeAgain(server: ServerUnderTest, holding?: Holding): Promise<void> {
  await withEvidence(exchange(server, holding), wrongLater);
}

/** The evidence, with advice for a wrong answer if it is about one: answers were right before. */
export function wrongLater(evidence: Evidence): Evidence {
  const {
    blames,
    why = "nobody relies on a server that is right only the first time",
    fix = "work out each answer from its own request, and keep apart what each client has said",
  } = evidence;
  return blames === undefined ? evidence : { ...evidence, why, fix };
}

/** The sample, with the values that the lesson has. */
export function sampleHolding({ settings: { subject }, talk }: ServerUnderTest): Holding {
  const values = Object.entries(subject.sample).map(([name, text]): [string, Value] => {
    const number = talk.numbers.has(name) ? parseRational(text) : undefined;
    const word: Value = { kind: "word", bytes: new TextEncoder().encode(text) };
    return [name, number === undefined ? word : numberValue(number, text)];
  });
  return { values: new Map(values) };
}
