/** Whether a server survives something. */
import type { TalkPeer } from "../../../clients/call/talk_peer.ts";
import { Finding } from "../../../suite/test.ts";
import type { Conversation, Line } from "../../../talk/talk.ts";
import { inHex, shown, withEvidence } from "../evidence.ts";
import { Client, exchange, reactionOf, sendTo } from "./exchange.ts";
import type { ServerUnderTest } from "./server_under_test.ts";

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

/** Sends something wrong; returns what the server did. The client then leaves. */
export async function provoke(
  server: ServerUnderTest,
  { bytes, place }: Wrongdoing,
): Promise<{ readonly bytes: Uint8Array; readonly text: string }> {
  using client = new Client(server, place && { conversation: place.conversation });
  const peer = await placed(client, place?.before);
  await sendTo(peer, bytes, server.timeout);
  if (server.requestEnd === "end of stream" && "closeWrite" in peer) await peer.closeWrite();
  return await reactionOf(peer);
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
