/** An IP address and a port, as sockets name their ends. */
export interface Endpoint {
  readonly hostname: string;
  readonly port: number;
}

/**
 * The addresses that `localhost` stands for, on every host.
 *
 * RFC 6761, section 6.3: names under `localhost` always mean the loopback
 * addresses, so no resolver is asked, and hosts files that know only one of
 * the two don't matter.
 */
export const loopbackAddresses: readonly string[] = ["127.0.0.1", "::1"];

/** `127.0.0.1:40`, or `[::1]:40` with the brackets of RFC 3986, section 3.2.2. */
export function formatEndpoint({ hostname, port }: Endpoint): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** `127.0.0.1:40 and [::1]:40 (tcp)`: all the ends of one listener or attempt. */
export function formatEndpoints(endpoints: readonly Endpoint[]): string {
  return `${endpoints.map(formatEndpoint).join(" and ")} (tcp)`;
}

/** Whether the text is an IP address as it stands, so that nothing need be resolved. */
export function isIpAddress(text: string): boolean {
  if (text.includes(":")) return true; // no host name holds a colon
  const bytes = text.split(".");
  return bytes.length === 4 &&
    bytes.every((byte) => /^\d{1,3}$/.test(byte) && Number(byte) <= 255);
}
