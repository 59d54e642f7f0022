import { type ConnectOptions, connectToFirst, connectUnix } from "../../sockets/dial.ts";
import type { InternetEndpoint } from "../../protocol/addresses.ts";
import type { Stream } from "../../sockets/stream.ts";
import type { Call } from "./call.ts";
import { DatagramCall } from "./datagram_call.ts";
import { StreamCall } from "./stream_call.ts";

/** The server to call, and over which transport. */
export type CallPlace =
  | {
    readonly protocol: "tcp" | "udp";
    /** The server's IP addresses, tried in this order; at least one. */
    readonly addresses: readonly string[];
    /** Port, 1-65535. */
    readonly port: number;
  }
  | { readonly protocol: "unix"; readonly path: string };

/** How long to wait for the connection and then for each reply, and who watches. */
export interface DialOptions extends ConnectOptions {
  /** Returns the datagram that carries a request over UDP. @default {the request} */
  readonly datagramOf?: ((request: string) => string) | undefined;
}

/**
 * Connects to a server. Over UDP nothing is sent yet: it returns where to send to.
 *
 * @throws {SocketFailure} if no connection can be made.
 */
export async function reach(
  place: CallPlace,
  options: ConnectOptions,
): Promise<Stream | InternetEndpoint> {
  if (place.protocol === "unix") return await connectUnix(place.path, options.watch);
  const endpoints = place.addresses.map((hostname) => ({ hostname, port: place.port }));
  if (place.protocol === "tcp") return await connectToFirst(endpoints, options);
  const [endpoint] = endpoints;
  if (endpoint === undefined) throw new TypeError("Cannot call a server without an address");
  return endpoint;
}

/**
 * Calls a server. Over TCP it connects to the first address that answers. Over
 * UDP nothing is sent yet, so nothing can fail yet, and requests go to the first
 * address: UDP does not report whether anything is listening.
 *
 * @throws {SocketFailure} of kind `REFUSED`, `UNREACHABLE`, `RESET`, `TIMEOUT`
 * or `ERROR` if no connection can be made.
 */
export async function dial(place: CallPlace, options: DialOptions): Promise<Call> {
  const { timeout, watch, datagramOf } = options;
  const reached = await reach(place, options);
  return "port" in reached
    ? new DatagramCall(reached, timeout, watch, datagramOf)
    : new StreamCall(reached, timeout);
}
