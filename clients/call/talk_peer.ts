import type { ConnectOptions } from "../../sockets/dial.ts";
import { EagerPeer } from "../../sockets/eager_peer.ts";
import { DatagramPeer } from "./datagram_peer.ts";
import { type CallPlace, reach } from "./dial.ts";

/** The server, as one client of a conversation sees it. */
export type TalkPeer = EagerPeer | DatagramPeer;

/**
 * Connects to a server, over UDP by a socket alone.
 *
 * @throws {SocketFailure} if no connection can be made.
 */
export async function openTalk(place: CallPlace, options: ConnectOptions): Promise<TalkPeer> {
  const reached = await reach(place, options);
  return "port" in reached ? new DatagramPeer(reached, options.watch) : new EagerPeer(reached);
}
