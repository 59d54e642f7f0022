import { type Endpoint, isLinkLocalWithoutZone } from "../protocol/addresses.ts";

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
  return zone ?? Deno.networkInterfaces().find((one) => one.address === address)?.name;
}

/** Whether an address has a zone: `node:net` can't listen on it or connect to it. */
export function hasZone(hostname: string): boolean {
  return hostname.includes("%");
}
