import { concat } from "@std/bytes/concat";
import { readDatagram } from "../../protocol/datagram.ts";
import { foreignStart } from "../../protocol/first_bytes.ts";
import type { Line } from "../../protocol/line_buffer.ts";
import { decodeUtf8 } from "../../protocol/utf8.ts";
import { EagerPeer } from "../../sockets/eager_peer.ts";
import { escapeBytes } from "../../talk/escape.ts";
import type { ServerSide, Turn } from "../../talk/dialogue.ts";
import type { ServedConnection } from "./connection.ts";
import { scheduler } from "./scheduler.ts";

/** Milliseconds of silence after which a client is taken to have sent all of its request. */
const QUIET_MS = 150;

/** Bytes waiting from which answering counts as long work. */
const LONG_INPUT = 512;

/** Bytes that are shown of a request that fits no line. */
const SHOWN = 60;

/** Plays the server's side of a conversation on a connection until either side ends it. */
export async function converse(
  dialogue: ServerSide,
  connection: ServedConnection,
): Promise<void> {
  const peer = new EagerPeer(connection.stream);
  dialogue.wake = () => peer.changes.notify();
  try {
    await takeTurns(dialogue, peer, connection);
  } finally {
    dialogue.leave?.();
  }
  const { ending } = peer;
  if (ending === "end of stream" || ending === "reset") connection.reason ??= ending;
}

async function takeTurns(
  dialogue: ServerSide,
  peer: EagerPeer,
  connection: ServedConnection,
): Promise<void> {
  const { life } = connection;
  const greeting = dialogue.greet();
  await say(greeting, peer, connection);
  reportSent(greeting, connection);
  while (life.converses) {
    const turn = await nextTurn(dialogue, peer, connection);
    if (turn === undefined) break;
    const request = peer.take(turn.size);
    await say(turn, peer, connection);
    report(request, turn, connection);
  }
  // Closing with unread input would reset the connection.
  peer.discard();
  if (life.converses) return;
  await peer.finished;
  connection.end("served", 0); // all of its input has been read
}

/** Reports what was done about bytes of the client, or without any. */
function report(request: Uint8Array, turn: Turn, connection: ServedConnection): void {
  const { onAnswered, onIgnored, onForeign } = connection.context;
  switch (turn.about) {
    case "request":
      connection.count(1);
      return onAnswered?.(connection, lineOf(request), shownReply(turn.replies));
    case "another client":
      return reportSent(turn, connection);
    case "nothing known": {
      const foreign = connection.requests === 0 ? foreignStart(request) : undefined;
      if (foreign !== undefined) onForeign?.(connection, foreign.kind);
      return onIgnored?.(connection, whyIgnored(request));
    }
    case "late line end":
  }
}

function reportSent({ replies }: Turn, connection: ServedConnection): void {
  if (replies.length > 0) connection.context.onSent?.(connection, shownReply(replies));
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
  connection: ServedConnection,
): Promise<void> {
  if (replies.length > 0) {
    connection.life.reply();
    await peer.send(concat([...replies]));
  }
  if (ends) connection.end("served");
}

/** `undefined` once the client has ended its side, and all that it sent is answered. */
async function nextTurn(
  dialogue: ServerSide,
  peer: EagerPeer,
  connection: ServedConnection,
): Promise<Turn | undefined> {
  const { life, context: { maxRequest } } = connection;
  while (life.converses) {
    // A client that sends without a pause must not hold up others.
    const isLong = peer.pending >= LONG_INPUT;
    const held = isLong ? scheduler.beforeLongWork() : scheduler.afterAnswer();
    if (held !== undefined) await held;
    const seen = peer.pending;
    const isOver = peer.ending !== undefined;
    const turn = dialogue.next(peer.peek(), isOver ? "closed" : "open");
    if (turn !== undefined || isOver) return turn;
    if (seen > maxRequest) return connection.end("request too long") as undefined;
    connection.expectRequest(dialogue.waitsForOthers ? 0 : seen, life.state === "receiving");
    if (seen > 0) {
      const goesOn = await peer.until(({ length }) => length > seen, QUIET_MS);
      if (goesOn || peer.ending !== undefined) continue;
      const quiet = dialogue.next(peer.peek(), "quiet");
      if (quiet !== undefined) return quiet;
    }
    // However long it takes: without a timer for each idle connection.
    if (life.converses && peer.pending === seen && peer.ending === undefined) {
      await peer.changes.next;
    }
  }
  return undefined;
}
