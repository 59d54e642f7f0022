import { serveUdp } from "./datagram_server.ts";
import type { AddressOptions, Server, StreamOptions } from "./server.ts";
import type { Service } from "../service.ts";
import { serve, serveUnix } from "./stream_server.ts";

/** Where a server listens, and over which transport. */
export type ListenPlace =
  | ({ readonly protocol: "tcp" | "udp" } & AddressOptions)
  | { readonly protocol: "unix"; readonly path: string };

/**
 * Starts a server that runs the service over the transport of its place.
 * Options that only connections need are ignored over UDP.
 *
 * @throws {SocketFailure} of kind `BIND` if it can't listen there.
 */
export function startServer(
  service: Service,
  place: ListenPlace,
  options: StreamOptions,
): Promise<Server> {
  switch (place.protocol) {
    case "unix":
      return serveUnix(service, { ...options, path: place.path });
    case "udp":
      return serveUdp(service, { ...options, ...place });
    case "tcp":
      return serve(service, { ...options, ...place });
  }
}
