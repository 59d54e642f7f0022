import { concat } from "@std/bytes/concat";
import { readDatagram } from "../../protocol/datagram.ts";
import type { Line } from "../../protocol/line_buffer.ts";
import { decodeUtf8 } from "../../protocol/utf8.ts";
import { EagerPeer } from "../../sockets/eager_peer.ts";
import type { Stream } from "../../sockets/stream.ts";
import { escapeBytes } from "../../talk/escape.ts";
import type { Dialogue, Turn } from "../../talk/dialogue.ts";
import { scheduler } from "./scheduler.ts";

/** Milliseconds of silence after which a client is taken to have sent all of its request. */
const QUIET_MS = 150;

/** Bytes waiting from which answering counts as long work. */
const LONG_INPUT = 512;

/** Bytes that are shown of a request that fits no line. */
const SHOWN = 60;

/** What a connection does around a conversation. */
export interface ConversationHooks {
  /** It waits for its client, of whose next request so many bytes have come. */
  waits(pending: number): void;
  /** It begins to write. */
  writes(): void;
  /** The longest request, in bytes. */
  readonly maxRequest: number;
  /** A request is longer. */
  refuses(): void;
  /** A request was answered, or passed over; the greeting is not reported. */
  answered(request: Uint8Array, turn: Turn): void;
  /** The service has said all that it says. */
  ends(): void;
  /** Whether the connection has ended the conversation. */
  isOver(): boolean;
}

/** Plays the server's side of a conversation until either side ends it. Never throws. */
export async function converse(
  dialogue: Dialogue,
  stream: Stream,
  hooks: ConversationHooks,
): Promise<"end of stream" | "reset" | undefined> {
  const peer = new EagerPeer(stream);
  await say(dialogue.greet(), peer, hooks);
  while (!hooks.isOver()) {
    const turn = await nextTurn(dialogue, peer, hooks);
    if (turn === undefined) break;
    const request = peer.take(turn.size);
    await say(turn, peer, hooks);
    if (turn.about !== "late line end") hooks.answered(request, turn);
  }
  // Closing with unread input would reset the connection.
  peer.discard();
  if (hooks.isOver()) await peer.finished;
  return peer.ending === "end of stream" || peer.ending === "reset" ? peer.ending : undefined;
}

/** Why a request gets no answer. */
export function whyIgnored(request: Uint8Array): string {
  return `no line of the conversation fits ${escapeBytes(request.subarray(0, SHOWN))}`;
}

/** A request as events show it. */
export const lineOf = (request: Uint8Array): Line => readDatagram(request).line;

/** What was sent, as events show it: as a conversation file would. */
export const shownReply = (replies: readonly Uint8Array[]): string =>
  replies.map((reply) => decodeUtf8(reply) ?? escapeBytes(reply)).join("").replace(/\r?\n$/, "");

async function say(
  { replies, ends }: Turn,
  peer: EagerPeer,
  hooks: ConversationHooks,
): Promise<void> {
  if (replies.length > 0) {
    hooks.writes();
    await peer.send(concat([...replies]));
  }
  if (ends) hooks.ends();
}

/** `undefined` once the client has ended its side, and all that it sent is answered. */
async function nextTurn(
  dialogue: Dialogue,
  peer: EagerPeer,
  hooks: ConversationHooks,
): Promise<Turn | undefined> {
  while (!hooks.isOver()) {
    // A client that sends without a pause must not hold up others.
    const isLong = peer.pending >= LONG_INPUT;
    const held = isLong ? scheduler.beforeLongWork() : scheduler.afterAnswer();
    if (held !== undefined) await held;
    const seen = peer.pending;
    const isOver = peer.ending !== undefined;
    const turn = dialogue.next(peer.peek(), isOver ? "closed" : "open");
    if (turn !== undefined || isOver) return turn;
    if (seen > hooks.maxRequest) return hooks.refuses() as undefined;
    hooks.waits(seen);
    if (seen > 0) {
      const goesOn = await peer.until(({ length }) => length > seen, QUIET_MS);
      if (goesOn || peer.ending !== undefined) continue;
      const quiet = dialogue.next(peer.peek(), "quiet");
      if (quiet !== undefined) return quiet;
    }
    // However long it takes: without a timer for each idle connection.
    if (!hooks.isOver() && peer.pending === seen && peer.ending === undefined) {
      await peer.changes.next;
    }
  }
  return undefined;
}
