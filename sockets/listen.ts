import type { InternetEndpoint } from "../protocol/addresses.ts";
import { bindAll } from "./bind_all.ts";
import { descriptors, isOutOfDescriptors } from "./descriptors.ts";
import { isLoopback, listenAddresses } from "./host_addresses.ts";
import { assertPortFree } from "./port_in_use.ts";
import {
  type DatagramSocket,
  DenoStream,
  internetEndpointOf,
  type Stream,
  type StreamListener,
} from "./stream.ts";

/** Connections that the kernel queues for the accept loop: 10,000 at once connect 6 times as fast as with Deno's 511. */
export const BACKLOG = 4_096;

/**
 * Listens for TCP connections on those of the addresses that this host has,
 * all on the same port.
 *
 * @param port 0 picks one that is free on all of them.
 * @throws {SocketFailure} of kind `BIND` if one can't be listened on, or if the host has none of them.
 */
export function listenTcp(
  addresses: readonly string[],
  port: number,
  options?: ListenOptions,
): Promise<TcpListener[]> {
  return bindAll(listenAddresses(addresses), port, async (endpoint) => {
    await assertPortFree(endpoint, options);
    return bindTcp(endpoint, options);
  });
}

/** How to listen. */
export interface ListenOptions {
  /** Whether other processes that set it may listen there too (Linux). @default {false} */
  readonly reusePort?: boolean | undefined;
}

/** Accepts connections at an IP address. */
export interface TcpListener extends StreamListener {
  readonly addr: InternetEndpoint;
}

/** A TCP listener at an address of this host; port 0 picks any free one. */
export function bindTcp(
  endpoint: InternetEndpoint,
  { reusePort = false }: ListenOptions = {},
): TcpListener {
  const listener = Deno.listen({ ...endpoint, tcpBacklog: BACKLOG, reusePort });
  return {
    addr: boundTo(listener.addr, endpoint),
    ...whenThereIsRoom(listener, (conn) => new DenoStream(conn)),
  };
}

/**
 * Accepts only when there is a descriptor for another connection: until then the kernel's queue
 * holds its client.
 */
export function whenThereIsRoom<C>(
  listener: { accept(): Promise<C>; close(): void },
  streamOf: (conn: C) => Stream,
): Pick<StreamListener, "accept" | "close"> {
  const closing = new AbortController();
  return {
    async accept() {
      while (true) {
        const room = descriptors.untilRoom(closing.signal);
        if (room !== undefined) await room;
        try {
          return streamOf(await listener.accept());
        } catch (error) {
          // The path of a Unix peer is not UTF-8, and Deno has dropped the connection (2.9.6).
          if (error instanceof Deno.errors.InvalidData) continue;
          if (!isOutOfDescriptors(error) || !descriptors.exhausted()) throw error;
        }
      }
    },
    close() {
      closing.abort();
      listener.close();
    },
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

/** A client's UDP socket, at any port of an address from which the server can be reached. */
export function bindClient({ hostname }: InternetEndpoint): DatagramSocket {
  const giveBack = descriptors.take();
  try {
    const socket = bindDatagrams({ hostname: clientAddress(hostname), port: 0 });
    return {
      ...socket,
      close() {
        socket.close();
        giveBack();
      },
    };
  } catch (error) {
    giveBack();
    throw error;
  }
}

/**
 * The address for a client of a server: any of the same family, but loopback for a server there,
 * since the firewalls of Windows and macOS ask the user about sockets that others could reach.
 */
export function clientAddress(hostname: string): string {
  if (hostname === "::1") return hostname;
  if (hostname.includes(":")) return "::";
  return isLoopback(hostname) ? "127.0.0.1" : "0.0.0.0";
}

/** Where a socket is bound: its real port, and the requested address's zone, which Deno drops. */
function boundTo(addr: Deno.Addr, { hostname }: InternetEndpoint): InternetEndpoint {
  const { port, ...bound } = internetEndpointOf(addr);
  return { hostname: hostname.includes("%") ? hostname : bound.hostname, port };
}
