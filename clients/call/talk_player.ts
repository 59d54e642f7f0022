import { delay } from "@std/async/delay";
import { concat } from "@std/bytes/concat";
import { until } from "../../sockets/changes.ts";
import { EagerPeer } from "../../sockets/eager_peer.ts";
import type { Received } from "../../talk/match.ts";
import { Matcher } from "../../talk/matcher.ts";
import { describe, render } from "../../talk/render.ts";
import type { Conversation, Line, Talk } from "../../talk/talk.ts";
import type { Random, Value } from "../../talk/value.ts";
import { DatagramPeer } from "./datagram_peer.ts";
import { RepeatedQuestions } from "./repeated_questions.ts";
import { findHint } from "./talk_hint.ts";
import type { TalkPeer } from "./talk_peer.ts";
import { TalkDeviation } from "../../talk/deviation.ts";

/** Milliseconds of silence that end a reply which nothing else ends. */
const QUIET_MS = 150;
/** Milliseconds within which bytes that do not belong to a reply usually follow it. */
const EXTRA_MS = 30;
/**
 * Milliseconds between two sends that a server is to read one by one. Nothing that this end can
 * see shows that it has: an acknowledgement says that the bytes have arrived at its host, where
 * they wait for the program. Who runs on that host may know better: {@linkcode PlayOptions.untilRead}.
 */
const BETWEEN_SENDS_MS = 40;
/** Milliseconds that a server has to end its side as well. */
const LEAVE_MS = 300;

/** How a conversation is played. */
export interface PlayOptions {
  readonly talk: Talk;
  readonly random: Random;
  /** Milliseconds that each reply has. */
  readonly timeout: number;
  /** Opens a connection, once for each client that the conversation names. */
  open(client: string): Promise<TalkPeer>;
  /** Called with what is said, as it is sent and as it has come whole. Must not throw. */
  said?(line: Line, bytes: Uint8Array): void;
  /** Waits until the server has read what was sent. @default {a short wait} */
  untilRead?(peer: EagerPeer): Promise<void>;
  /** Sends a request. @default {in one write} */
  send?(peer: EagerPeer, bytes: Uint8Array): Promise<void>;
}

/** A reply that was taken for whole, and what matches it. */
interface Reply {
  readonly bytes: Uint8Array;
  matching(received: Received): Matcher;
}

/** Plays the clients of one conversation. Disposing closes their connections. */
export class TalkPlayer implements Disposable {
  readonly values: Map<string, Value>;
  readonly peers = new Map<string, TalkPeer>();
  readonly #conversation: Conversation;
  readonly #options: PlayOptions;
  #sent: Uint8Array | undefined;
  #last: Line | undefined;
  #hasReceived = false;
  /** The clients whose last reply may still get its line end. */
  readonly #mayEndLate = new Set<string>();
  /** The last reply of each client. */
  readonly #replies = new Map<string, Reply>();
  readonly #questions = new RepeatedQuestions();
  /** Those whose side has ended, as the file shows. */
  readonly #ended = new Set<TalkPeer>();

  constructor(
    conversation: Conversation,
    options: PlayOptions,
    values: ReadonlyMap<string, Value> = new Map(),
  ) {
    this.#conversation = conversation;
    this.#options = options;
    this.values = new Map(values);
  }

  /**
   * Plays what was not played yet.
   *
   * @param before Stops before this line. @default {plays all, and sees that nothing more comes}
   * @throws {TalkDeviation} if the server does not say what the file shows.
   * @throws {SocketFailure} if it can't be reached.
   */
  async play(before?: Line): Promise<void> {
    const isMeant = ({ says, number }: Line): boolean =>
      (says === "client" || says === "server") && number > (this.#last?.number ?? 0) &&
      (before === undefined || number < before.number);
    const lines = this.#conversation.lines.filter(isMeant);
    for (let index = 0; index < lines.length;) {
      const line = lines[index] as Line;
      if (line.says === "client") {
        await this.#send(line, lines[index + 1]);
        index++;
        continue;
      }
      const start = index;
      while (lines[index]?.says === "server") index++;
      const byClient = Map.groupBy(lines.slice(start, index), ({ client }) => client);
      for (const [client, own] of byClient) await this.#receive(client, own);
    }
    if (before === undefined) await this.#expectNothingMore();
  }

  /** Closes as a client does that has its answers, and gives the server a moment to do the same. */
  async leave(): Promise<void> {
    await Promise.all([...this.peers.values()].map(async (peer) => {
      if (peer instanceof DatagramPeer) return;
      if (!this.#ended.has(peer)) await peer.closeWrite(LEAVE_MS);
      await peer.untilEnd(LEAVE_MS);
    }));
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const peer of this.peers.values()) peer[Symbol.dispose]();
  }

  /** The connection of a client, which is opened if it has none yet. */
  async peer(client: string): Promise<TalkPeer> {
    let peer = this.peers.get(client);
    if (peer === undefined) this.peers.set(client, peer = await this.#options.open(client));
    return peer;
  }

  async #send(line: Line, next: Line | undefined): Promise<void> {
    const { said, send, untilRead, timeout } = this.#options;
    const peer = await this.peer(line.client);
    this.#refuseMore(peer, line.client);
    const bytes = render(line.tokens, this.values, this.#options);
    this.#last = line;
    this.#sent = bytes;
    said?.(line, bytes);
    if (peer instanceof DatagramPeer) return await peer.send(bytes);
    const isLast = next?.says !== "client";
    const sent = send?.(peer, bytes) ?? (bytes.length > 0 ? peer.send(bytes, timeout) : undefined);
    // A server may answer before it has read everything.
    if (send !== undefined || !isLast) await sent;
    if (line.tokens.at(-1)?.kind === "end") {
      this.#ended.add(peer);
      await peer.closeWrite(timeout);
    } else if (!isLast) await (untilRead?.(peer) ?? delay(BETWEEN_SENDS_MS));
  }

  async #receive(client: string, lines: readonly Line[]): Promise<void> {
    const peer = await this.peer(client);
    if (peer instanceof DatagramPeer) {
      for (const line of lines) await this.#receiveDatagram(peer, line);
    } else await this.#receiveBytes(peer, client, lines);
    this.#last = lines.at(-1);
    this.#hasReceived = true;
  }

  /** The lines as one stream of bytes. */
  async #receiveBytes(peer: EagerPeer, client: string, lines: readonly Line[]): Promise<void> {
    const { talk, timeout, said } = this.#options;
    const received = {
      get bytes() {
        return peer.peek();
      },
    };
    const mayBeginWithNewline = this.#mayEndLate.has(client);
    const options = { talk, values: new Map(this.values), mayBeginWithNewline };
    const matching = (received: Received): Matcher => new Matcher(lines, received, options);
    const matcher = matching(received);
    const end = performance.now() + timeout;
    const isDecided = (): boolean => matcher.look() !== "more";
    await peer.until(isDecided, timeout);
    while (matcher.look() === "enough" && matcher.isOpen && performance.now() < end) {
      const seen = peer.pending;
      if (!await peer.until(({ length }) => length > seen, QUIET_MS)) break;
    }
    if (matcher.finish(peer.ending === "end of stream" ? "closed" : "silent") === "wrong") {
      throw await this.#deviation(peer, lines, matcher);
    }
    for (const [name, value] of matcher.said) this.values.set(name, value);
    const last = lines.at(-1) as Line;
    const bytes = peer.take(matcher.size);
    this.#replies.set(client, { bytes, matching });
    if (last.tokens.at(-1)?.kind === "optional newline") this.#mayEndLate.add(client);
    else this.#mayEndLate.delete(client);
    said?.(last, bytes);
  }

  async #receiveDatagram(peer: DatagramPeer, line: Line): Promise<void> {
    const { talk, timeout, said } = this.#options;
    const bytes = await this.#questions.answer(peer, this.#sent, timeout);
    const facts = {
      line,
      sent: this.#sent,
      wanted: describe([line], this.values),
      timeoutMs: timeout,
    };
    if (bytes === undefined) {
      const strangers = peer.inbox.others;
      throw new TalkDeviation({
        ...facts,
        kind: "less",
        came: new Uint8Array(),
        right: 0,
        strangers,
      });
    }
    const matcher = new Matcher([line], { bytes }, { talk, values: this.values });
    const fits = matcher.finish("silent") === "matched";
    if (!fits || matcher.size < bytes.length) {
      const right = fits ? matcher.size : matcher.miss?.at ?? 0;
      const kind = fits ? "more" : right === bytes.length ? "less" : "wrong";
      const { token, into } = matcher.miss ?? {};
      throw new TalkDeviation({ ...facts, kind, token, into, came: bytes, right });
    }
    for (const [name, value] of matcher.said) this.values.set(name, value);
    said?.(line, bytes);
  }

  /** @throws {TalkDeviation} if a server has said more than the file shows. */
  async #expectNothingMore(): Promise<void> {
    const peers = [...this.peers.values()];
    const isOver = (): boolean =>
      peers.every((peer) => peer instanceof EagerPeer && peer.ending !== undefined) ||
      peers.some((peer) => this.#surplusOf(peer).length > 0);
    const changes = peers.map((peer) =>
      peer instanceof EagerPeer ? peer.changes : peer.inbox.changes
    );
    if (peers.length > 0) await until(isOver, changes, EXTRA_MS);
    for (const [client, peer] of this.peers) this.#refuseMore(peer, client);
  }

  /** What has come and was not asked for. */
  #surplusOf(peer: TalkPeer): Uint8Array {
    if (peer instanceof EagerPeer) return peer.peek();
    return this.#questions.surplusOf(peer) ?? new Uint8Array();
  }

  #refuseMore(peer: TalkPeer, client: string): void {
    const came = this.#surplusOf(peer);
    if (came.length === 0) return;
    if (peer instanceof EagerPeer && this.#isRestOfReply(client, came)) return void peer.take();
    const line = this.#last ?? this.#conversation.lines[0] as Line;
    throw new TalkDeviation({
      kind: "more",
      line,
      sent: this.#sent,
      wanted: "",
      came: came.slice(),
      right: 0,
      timeoutMs: this.#options.timeout,
      hint: this.#sent === undefined ? "speaks first" : undefined,
    });
  }

  /** Whether this belongs to the last reply: its line end, more digits, more of what `{...}` takes. */
  #isRestOfReply(client: string, came: Uint8Array): boolean {
    const reply = this.#replies.get(client);
    if (reply === undefined) return false;
    const bytes = concat([reply.bytes, came]);
    const matcher = reply.matching({ bytes });
    if (matcher.finish("silent") === "wrong" || matcher.size < bytes.length) return false;
    for (const [name, value] of matcher.said) this.values.set(name, value);
    return true;
  }

  async #deviation(
    peer: EagerPeer,
    lines: readonly Line[],
    matcher: Matcher,
  ): Promise<TalkDeviation> {
    // The rest of it, for the report.
    if (peer.pending > 0 && peer.ending === undefined) await peer.untilSilent(EXTRA_MS);
    const { at = 0, into, line = lines[0] as Line, token } = matcher.miss ?? {};
    const came = peer.take();
    const { ending } = peer;
    const facts = {
      kind: at < came.length ? "wrong" : "less",
      line,
      token,
      into,
      sent: this.#sent,
      wanted: describe(lines, this.values),
      came,
      right: at,
      ending: ending && (ending === "end of stream" ? "closed" : "reset"),
      timeoutMs: this.#options.timeout,
    } as const;
    const isFirst = !this.#hasReceived && this.#sent !== undefined;
    const openAnew = isFirst ? () => this.#options.open("") : undefined;
    return new TalkDeviation({ ...facts, hint: await findHint(facts, lines, peer, openAnew) });
  }
}
