import { type Endpoint, isLinkLocalWithoutZone } from "../protocol/addresses.ts";
import { errnoOf, kindOf } from "./errno.ts";
import { system } from "./system.ts";

/** What follows the `%` of a link-local address of an interface (RFC 4007, section 11). */
export function zoneOf({ name, scopeid }: Deno.NetworkInterfaceInfo): string {
  return system.zonesAreNumbers ? String(scopeid) : name;
}

/**
 * An end of a connection with its zone, which the runtime leaves out of link-local addresses: that
 * of the interface that has the connection's local address (RFC 4007, section 11).
 */
export function withZone<E extends Endpoint>(end: E, local: Endpoint): E {
  if (!("hostname" in end) || !isLinkLocalWithoutZone(end.hostname)) return end;
  const name = "hostname" in local ? interfaceOf(local.hostname) : undefined;
  return name === undefined ? end : { ...end, hostname: `${end.hostname}%${name}` };
}

function interfaceOf(hostname: string): string | undefined {
  const [address, zone] = hostname.split("%");
  if (zone !== undefined) return zone;
  const found = Deno.networkInterfaces().find((one) => one.address === address);
  return found && zoneOf(found);
}

/**
 * Whether an address can't be used as this host lacks its zone. The runtime looks that up like a
 * name: the error has no errno then, except on Windows.
 */
export function isZoneUnknown(hostname: string, error: unknown): boolean {
  return hasZone(hostname) && (errnoOf(error) === undefined || kindOf(error) === "DNS");
}

/** Whether an interface of this host has this zone. */
export function hasZoneNamed(zone: string): boolean {
  return Deno.networkInterfaces().some((one) => zoneOf(one) === zone);
}

/** Whether an address has a zone: `node:net` can't listen on it or connect to it. */
export function hasZone(hostname: string): boolean {
  return hostname.includes("%");
}
