import type { InternetEndpoint } from "../protocol/addresses.ts";
import { bindAll } from "./bind_all.ts";
import {
  type DatagramSocket,
  denoStream,
  internetEndpointOf,
  type StreamListener,
} from "./stream.ts";

/** Connections that the kernel queues for the accept loop: 10,000 at once connect 6 times as fast as with Deno's 511. */
export const BACKLOG = 4_096;

/**
 * Listens for TCP connections on those of the addresses that this host has,
 * all on the same port.
 *
 * @param port 0 picks one that is free on all of them.
 * @param reusePort Whether other processes that set it may listen there too (Linux).
 * @throws {SocketFailure} of kind `BIND` if one can't be listened on, or if the host has none of them.
 */
export function listenTcp(
  addresses: readonly string[],
  port: number,
  reusePort = false,
): Promise<TcpListener[]> {
  return bindAll(addresses, port, (endpoint) => bindTcp(endpoint, reusePort));
}

/** Accepts connections at an IP address. */
export interface TcpListener extends StreamListener {
  readonly addr: InternetEndpoint;
}

/** A TCP listener at an address of this host; port 0 picks any free one. */
export function bindTcp(endpoint: InternetEndpoint, reusePort = false): TcpListener {
  const listener = Deno.listen({ ...endpoint, tcpBacklog: BACKLOG, reusePort });
  return {
    addr: boundTo(listener.addr, endpoint),
    accept: async () => denoStream(await listener.accept()),
    close: () => listener.close(),
  };
}

/**
 * A UDP socket at an address of this host; port 0 picks any free one.
 *
 * @param reuseAddress Whether other sockets that set it may bind the address too.
 */
export function bindDatagrams(endpoint: InternetEndpoint, reuseAddress = false): DatagramSocket {
  const socket = Deno.listenDatagram({ ...endpoint, transport: "udp", reuseAddress });
  return {
    addr: boundTo(socket.addr, endpoint),
    send: (bytes, to) => socket.send(bytes, internetEndpointOf(to)),
    receive: (buffer) => socket.receive(buffer),
    close: () => socket.close(),
  };
}

/** Where a socket is bound: its real port, and the requested address's zone, which Deno drops. */
function boundTo(addr: Deno.Addr, { hostname }: InternetEndpoint): InternetEndpoint {
  const { port, ...bound } = internetEndpointOf(addr);
  return { hostname: hostname.includes("%") ? hostname : bound.hostname, port };
}
