import { delay } from "@std/async/delay";
import type { ListenOptions as ServerOptions } from "node:net";
import type { InternetEndpoint } from "../protocol/addresses.ts";
import { bindAll } from "./bind_all.ts";
import { descriptors, isOutOfDescriptors } from "./descriptors.ts";
import { BACKLOG, bindTcp, type ListenOptions, type TcpListener } from "./listen.ts";
import { connectTcp, notToItself } from "./dial.ts";
import { NodeListener } from "./node_listener.ts";
import { NodeStream } from "./node_socket.ts";
import { listenAddresses } from "./host_addresses.ts";
import { assertPortFree } from "./port_in_use.ts";
import { canReset } from "./runtime.ts";
import { hasZone } from "./zone.ts";
import { DenoStream, type Stream } from "./stream.ts";

// A static import of a runtime module would be loaded at the start of every command of the
// executable.
const { default: { once } } = await import("node:events");
const { createConnection, createServer } = await import("node:net");

/** Milliseconds after which to try again without a descriptor. */
const RETRY_MS = 10;

/** Where to connect. */
export interface DialResettableOptions extends InternetEndpoint {
  /** Ends the attempt, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether its descriptor is counted with the connection that it is opened for. If it can't be had
   * yet, the attempt waits for it. @default {false}
   */
  readonly isCounted?: boolean;
}

/**
 * Connects over TCP; the connection can be reset, if the runtime can.
 *
 * @throws {Error} with the errno name as its `code`; the signal's reason if it aborts first.
 */
export async function dialResettable(options: DialResettableOptions): Promise<Stream> {
  const { hostname, port, signal } = options;
  signal?.throwIfAborted();
  if (!canReset || hasZone(hostname)) {
    return new DenoStream(await connectTcp({ hostname, port }, signal));
  }
  const stream = await (options.isCounted ? dialPatiently(options) : dialNode(options));
  return notToItself(stream, stream.local as InternetEndpoint, stream.remote as InternetEndpoint);
}

/** Tries again while others hold the descriptor that is counted for it. */
async function dialPatiently(options: DialResettableOptions): Promise<Stream> {
  while (true) {
    try {
      return await dialNode(options);
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
      descriptors.missing++;
      await delay(RETRY_MS, options).finally(() => descriptors.missing--);
    }
  }
}

async function dialNode(options: DialResettableOptions): Promise<Stream> {
  const { hostname, port, signal, isCounted } = options;
  const giveBack = descriptors.take(isCounted ? 0 : 1);
  // Only one address is tried: choosing among several is up to the caller.
  const socket = createConnection({
    host: hostname,
    port,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: false,
  });
  try {
    await once(socket, "connect", signal && { signal });
    return new NodeStream(socket, giveBack);
  } catch (error) {
    socket.destroy();
    giveBack();
    signal?.throwIfAborted();
    throw error;
  }
}

/** How to listen for connections that can be reset. */
export interface ListenResettableOptions extends ListenOptions {
  /** Descriptors that each connection will take, its own included. @default {1} */
  readonly weight?: number;
}

/**
 * Listens for TCP connections that can be reset, if the runtime can.
 *
 * Connections are accepted as they arrive, without waiting for `accept()`, and are not read until
 * `read()` is called.
 *
 * @param endpoint An IP address of this host and a port; 0 picks any free one.
 * @throws {Error} with the errno name as its `code`.
 */
export async function listenResettable(
  endpoint: InternetEndpoint,
  { reusePort, weight = 1 }: ListenResettableOptions = {},
): Promise<TcpListener> {
  if (!canReset || hasZone(endpoint.hostname)) return bindTcp(endpoint, { reusePort });
  const { hostname: host, port } = endpoint;
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    pauseOnConnect: true,
  });
  const listener = new NodeListener(server, weight);
  server.listen({ host, port, reusePort, backlog: BACKLOG } as ServerOptions);
  try {
    await once(server, "listening");
    listener.limit();
    return listener;
  } catch (error) {
    throw bindErrorOf(endpoint) ?? error;
  }
}

/** Why Deno can't listen there: `node:net` reports EINVAL if this host has no such address. */
function bindErrorOf({ hostname, port }: InternetEndpoint): unknown {
  try {
    Deno.listen({ hostname, port }).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * Listens on those of the addresses that this host has, all on the same port.
 *
 * @param port 0 picks one that is free on all of them.
 * @throws {SocketFailure} of kind `BIND` if one can't be listened on, or if the host has none of them.
 */
export function listenResettableOnAll(
  addresses: readonly string[],
  port: number,
  options?: ListenResettableOptions,
): Promise<TcpListener[]> {
  const bind = async (endpoint: InternetEndpoint): Promise<TcpListener> => {
    await assertPortFree(endpoint, options);
    return await listenResettable(endpoint, options);
  };
  return bindAll(listenAddresses(addresses), port, bind);
}
