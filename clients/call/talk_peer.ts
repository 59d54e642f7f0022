import { type ConnectOptions, connectToFirst, connectUnix } from "../../sockets/dial.ts";
import { EagerPeer } from "../../sockets/eager_peer.ts";
import { DatagramPeer } from "./datagram_peer.ts";
import type { CallPlace } from "./dial.ts";

/** The server, as one client of a conversation sees it. */
export type TalkPeer = EagerPeer | DatagramPeer;

/**
 * Connects to a server, over UDP by a socket alone.
 *
 * @throws {SocketFailure} if no connection can be made.
 */
export async function openTalk(place: CallPlace, options: ConnectOptions): Promise<TalkPeer> {
  if (place.protocol === "unix") {
    return new EagerPeer(await connectUnix(place.path, options.watch));
  }
  const endpoints = place.addresses.map((hostname) => ({ hostname, port: place.port }));
  if (place.protocol === "tcp") return new EagerPeer(await connectToFirst(endpoints, options));
  const [endpoint] = endpoints;
  if (endpoint === undefined) throw new TypeError("Cannot call a server without an address");
  return new DatagramPeer(endpoint, options.watch);
}
