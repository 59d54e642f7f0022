import { hostAddresses } from "./host_addresses.ts";
import { bindAll } from "./listen.ts";
import { bindSteady } from "./steady_datagrams.ts";
import type { DatagramSocket } from "./stream.ts";

/**
 * Binds UDP sockets on those of the addresses that this host has, all on the same port.
 *
 * An address that stands for all of the host's gets a socket for each: from a single one,
 * the system would answer from whichever address its routes prefer, and not from the one
 * that was asked.
 *
 * @param port 0 takes one that is free on all of them.
 * @throws {SocketFailure} of kind `BIND` if one can't be had, or if the host has none of them.
 */
export function bindUdp(addresses: readonly string[], port: number): DatagramSocket[] {
  return bindAll([...new Set(addresses.flatMap(hostAddresses))], port, bindSteady);
}

/** Binds on addresses that the host has got since then, with those left out that can't be had. */
export function bindNewAddresses(
  addresses: readonly string[],
  port: number,
  known: readonly DatagramSocket[],
): DatagramSocket[] {
  const bound = new Set(known.map(({ addr }) => addr.hostname));
  return addresses.flatMap(hostAddresses).filter((hostname) => !bound.has(hostname))
    .flatMap((hostname) => {
      try {
        return [bindSteady({ hostname, port })];
      } catch {
        return []; // not ready yet: the next time
      }
    });
}
