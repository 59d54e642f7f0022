/** Sends something wrong to a server, and sees what it does, and whether it survives. */
import type { DatagramPeer } from "../../../clients/call/datagram_peer.ts";
import type { TalkPeer } from "../../../clients/call/talk_peer.ts";
import { EagerPeer } from "../../../sockets/eager_peer.ts";
import { Finding } from "../../../suite/test.ts";
import type { Conversation, Line } from "../../../talk/talk.ts";
import { inHex, shown, withEvidence } from "../evidence.ts";
import { Client, exchange } from "./exchange.ts";
import type { ServerUnderTest } from "./server_under_test.ts";

/** Milliseconds within which a server closes that answers one request for each connection. */
const CLOSING_MS = 50;
/** Milliseconds to wait for a reaction to a bad request: silence is not a failure. */
const REACTION_MS = 500;
/** Milliseconds of silence after which an answer without a line end is taken to be complete. */
const REST_MS = 150;

/** Something that a client sends wrongly, and where. */
interface Wrongdoing {
  readonly bytes: Uint8Array;
  /** @default where the sample's first request would be */
  readonly place?: { readonly conversation: Conversation; readonly before: Line } | undefined;
  /** Whether to show the bytes in hex. @default {false} */
  readonly isBinary?: boolean;
}

/** Sends something wrong, then checks that another client is answered. @throws {Finding} */
export async function survives(server: ServerUnderTest, wrongdoing: Wrongdoing): Promise<void> {
  const { bytes, isBinary = false } = wrongdoing;
  const sent = isBinary ? inHex(bytes) : shown(bytes);
  const { text } = await provoke(server, wrongdoing);
  await servesAnother(server, sent, text);
}

/**
 * Sends something wrong, on a new connection if the server has closed that of the conversation;
 * returns what the server did, and its last answer before. The client then leaves.
 */
export async function provoke(
  server: ServerUnderTest,
  { bytes, place }: Wrongdoing,
): Promise<Reaction & { readonly before: Uint8Array | undefined }> {
  using client = new Client(server, place && { conversation: place.conversation });
  const first = await placed(client, place?.before);
  const hasClosed = client.reply !== undefined && first instanceof EagerPeer &&
    await first.untilEnd(CLOSING_MS);
  using another = hasClosed ? new Client(server) : undefined;
  const peer = await another?.begin() ?? first;
  await sendTo(peer, bytes, server.timeout);
  if (server.requestEnd === "end of stream" && "closeWrite" in peer) await peer.closeWrite();
  return { ...await reactionOf(peer), before: client.told };
}

async function placed(client: Client, before: Line | undefined): Promise<TalkPeer> {
  if (before === undefined) return await client.begin();
  await client.hold(before);
  return client.peers.at(-1) ?? await client.peer();
}

/** Checks that another client is answered. @throws {Finding} that says what happened before. */
export async function servesAnother(
  server: ServerUnderTest,
  sent: string,
  before: string,
): Promise<void> {
  const { child } = server.program;
  if (child !== undefined && !server.servesSeveral) return await refuseCrash(server, sent, before);
  await withEvidence(exchange(server), async ({ saw, isSilence, blames }) => {
    const then = await child?.howItEnded() ?? `the next client: ${saw}`;
    return { sent, saw: `${before}; ${then}`, isSilence, blames };
  });
}

/** A program that serves a single client may end, but not crash. @throws {Finding} */
async function refuseCrash(server: ServerUnderTest, sent: string, before: string): Promise<void> {
  const ended = await server.program.child?.howItEnded();
  if (ended !== undefined && server.program.hasCrashed) {
    throw new Finding({ sent, saw: `${before}; ${ended}` });
  }
}

/** Sends bytes, or as much as the server accepts within this many milliseconds. */
export async function sendTo(
  peer: TalkPeer,
  bytes: Uint8Array,
  milliseconds: number,
): Promise<void> {
  if (peer instanceof EagerPeer) await peer.send(bytes, milliseconds);
  else await peer.send(bytes);
}

/** What a server does about something: `it answered ...`, `nothing within 2s`, `the connection closed`. */
export async function reactionOf(peer: TalkPeer): Promise<Reaction> {
  if (!(peer instanceof EagerPeer)) return await datagramReaction(peer);
  await peer.until(({ length }) => length > 0, REACTION_MS);
  if (peer.pending > 0) await peer.untilSilent(REST_MS);
  const bytes = peer.take();
  const parts = bytes.length > 0 ? [`it answered ${shown(bytes)}`] : [];
  if (peer.ending === "end of stream") parts.push("the connection closed");
  if (peer.ending === "reset") parts.push("the connection was reset");
  return { bytes, text: parts.length === 0 ? "nothing came" : parts.join(", then ") };
}

interface Reaction {
  readonly bytes: Uint8Array;
  readonly text: string;
}

async function datagramReaction(peer: DatagramPeer): Promise<Reaction> {
  const answer = await peer.inbox.next(REACTION_MS / 2);
  if (answer === undefined) return { bytes: new Uint8Array(), text: "no answer" };
  return { bytes: answer.bytes, text: `it answered ${shown(answer.bytes)}` };
}
