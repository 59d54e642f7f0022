import { isLinkLocal } from "../protocol/addresses.ts";
import { zoneOf } from "./zone.ts";

/** Whether the runtime accepts an address with a zone: Deno 2.5 does not. */
const knowsZones = !Deno.version.deno.startsWith("2.5.");

/** Whether an address stands for all addresses of this host. */
export function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

/** Whether it is a loopback address, also one of IPv4 within IPv6. */
export function isLoopback(hostname: string): boolean {
  return /^(?:::ffff:)?127\.|^::1$/i.test(hostname);
}

/**
 * The addresses that an address stands for: itself, or, for a wildcard, those
 * that this host has now, loopback first. `::` stands for both families.
 */
export function hostAddresses(hostname: string): readonly string[] {
  if (!isWildcard(hostname)) return [hostname];
  const found = Deno.networkInterfaces()
    .filter(({ family }) => hostname === "::" || family === "IPv4")
    .filter(({ address }) => knowsZones || !isLinkLocal(address))
    // A link-local address means nothing without its interface (RFC 4007, section 11).
    .map((one) => isLinkLocal(one.address) ? `${one.address}%${zoneOf(one)}` : one.address);
  const sorted = [
    ...found.filter(isLoopback),
    ...found.filter((address) => !isLoopback(address)),
  ];
  return sorted.length === 0 ? [hostname] : [...new Set(sorted)];
}

/**
 * Where to listen for TCP connections to these addresses: `::` takes both families, unless this
 * host reserves it for IPv6 (Linux: `net.ipv6.bindv6only`).
 */
export function listenAddresses(addresses: readonly string[]): readonly string[] {
  if (!addresses.includes("::") || !isForIpv6Alone()) return addresses;
  return [...new Set([...addresses, "0.0.0.0"])];
}

/** Whether the same port is still free for IPv4. */
function isForIpv6Alone(): boolean {
  try {
    using both = Deno.listen({ hostname: "::", port: 0 });
    Deno.listen({ hostname: "0.0.0.0", port: both.addr.port }).close();
    return true;
  } catch {
    return false;
  }
}
