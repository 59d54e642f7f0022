import { hostAddresses } from "./host_addresses.ts";
import { bindAll } from "./bind_all.ts";
import { bindWithFailover } from "./failover_socket.ts";
import type { SocketFailure } from "./failure.ts";
import type { DatagramSocket } from "./stream.ts";

/**
 * Binds UDP sockets to those of the addresses that this host has, all on the same port.
 *
 * A wildcard address gets a socket for each address of the host: from a single socket, the
 * system would answer from whichever address its routes prefer, not from the one that
 * received the request.
 *
 * @param port 0 picks one that is free on all of them.
 * @param onMissing Called for each address of this host that can't be used after all.
 * @throws {SocketFailure} of kind `BIND` if one can't be bound, or if the host has none of them.
 */
export function bindUdp(
  addresses: readonly string[],
  port: number,
  onMissing?: (failure: SocketFailure) => void,
): Promise<DatagramSocket[]> {
  const all = [...new Set(addresses.flatMap(hostAddresses))];
  return bindAll(all, port, bindWithFailover, onMissing);
}

/** Binds to addresses that are not yet known, skipping those that can't be bound. */
export function bindNewAddresses(
  addresses: readonly string[],
  port: number,
  known: readonly DatagramSocket[],
): DatagramSocket[] {
  const bound = new Set(known.map(({ addr }) => addr.hostname));
  return addresses.flatMap(hostAddresses).filter((hostname) => !bound.has(hostname))
    .flatMap((hostname) => {
      try {
        return [bindWithFailover({ hostname, port })];
      } catch {
        return []; // not ready yet: the next call may succeed
      }
    });
}
