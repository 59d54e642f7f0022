import { EagerPeer } from "../../sockets/eager_peer.ts";
import { isBinary, type Line } from "../../talk/talk.ts";
import type { DeviationFacts, DeviationHint } from "../../talk/deviation.ts";
import type { TalkPeer } from "./talk_peer.ts";

/** Milliseconds to see whether more bytes, the end, or a new connection brings an answer. */
const HINT_MS = 300;

/**
 * Finds out in what the file does not fit its server, which is otherwise right.
 *
 * @param openAnew Opens one more connection, if it was the first reply that was wrong.
 */
export async function findHint(
  { sent, came, right, ending }: DeviationFacts,
  lines: readonly Line[],
  peer: EagerPeer,
  openAnew: (() => Promise<TalkPeer>) | undefined,
): Promise<DeviationHint> {
  if (sent === undefined) return undefined;
  if (came.length > 0) {
    if (openAnew === undefined || right === came.length) return undefined;
    peer.close();
    return await speaksFirst(openAnew) ? "speaks first" : undefined;
  }
  if (ending !== undefined) return undefined;
  if (sent.at(-1) !== "\n".charCodeAt(0) && !lines.some(({ tokens }) => isBinary(tokens))) {
    await peer.send("\n", HINT_MS);
    if (await answers(peer)) return "needs line end";
  }
  await peer.closeWrite(HINT_MS);
  return await answers(peer) ? "needs more bytes" : undefined;
}

const answers = (peer: EagerPeer): Promise<boolean> =>
  peer.until(({ length }) => length > 0, HINT_MS);

async function speaksFirst(openAnew: () => Promise<TalkPeer>): Promise<boolean> {
  try {
    using peer = await openAnew();
    return peer instanceof EagerPeer && await answers(peer);
  } catch {
    return false; // it serves one client only
  }
}
