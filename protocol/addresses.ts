/** What carries the bytes. */
export type Protocol = "tcp" | "udp" | "unix";

/** One end of an Internet socket. */
export interface InternetEndpoint {
  readonly hostname: string;
  readonly port: number;
}

/** One end of a Unix socket: a file, or `null` for the end that connected, which has no name. */
export interface UnixEndpoint {
  readonly path: string | null;
}

/** One end of a socket. */
export type Endpoint = InternetEndpoint | UnixEndpoint;

/**
 * The addresses that `localhost` stands for, on every host.
 *
 * RFC 6761, section 6.3: names under `localhost` always mean the loopback
 * addresses, so no resolver is asked, and hosts files that know only one of
 * the two don't matter.
 */
export const loopbackAddresses: readonly string[] = ["127.0.0.1", "::1"];

/**
 * `127.0.0.1:40`; `[::1]:40` with the brackets of RFC 3986, section 3.2.2; or
 * the path of a Unix socket.
 *
 * An IPv4 peer of an IPv6 socket (`::ffff:127.0.0.1`, RFC 4291, section
 * 2.5.5.2) is shown as IPv4.
 */
export function formatEndpoint(endpoint: Endpoint): string {
  if ("path" in endpoint) return endpoint.path === null ? "unnamed" : formatPath(endpoint.path);
  const { hostname, port } = endpoint;
  const address = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(hostname)?.[1] ?? hostname;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `./a:1` for `a:1`, which would read as a host with its port. */
function formatPath(path: string): string {
  const isAmbiguous = !path.includes("/") && (path.includes(":") || /^[\d.]+$/.test(path));
  return isAmbiguous ? `./${path}` : path;
}

/** `127.0.0.1:40 and [::1]:40 (tcp)`: all the ends of one server or attempt. */
export function formatEndpoints(
  endpoints: readonly Endpoint[],
  ...protocols: readonly Protocol[]
): string {
  return `${endpoints.map(formatEndpoint).join(" and ")} (${protocols.join(", ")})`;
}

/** `::1` for `[0:0::1]`: an IP address in canonical form (RFC 5952), zone kept; `undefined` if it is none. */
export function canonicalAddress(text: string): string | undefined {
  const [, bare = text] = /^\[(.*)\]$/.exec(text) ?? [];
  const [address = "", ...zone] = bare.split("%");
  if (address.includes(":")) {
    const url = `http://[${address}]`; // the parser that every platform has
    if (!URL.canParse(url) || zone.length > 1 || zone[0] === "") return undefined;
    return [new URL(url).hostname.slice(1, -1), ...zone].join("%");
  }
  const bytes = text.split(".");
  const isV4 = bytes.length === 4 &&
    bytes.every((byte) => /^(?:0|[1-9]\d{0,2})$/.test(byte) && Number(byte) <= 255);
  return isV4 ? text : undefined;
}

/** Whether two ends are the same, however their addresses are written; zones are ignored. */
export function isSameEndpoint(one: InternetEndpoint, other: InternetEndpoint): boolean {
  return one.port === other.port && comparable(one.hostname) === comparable(other.hostname);
}

/** An address in one form, however it is written: an IPv4-mapped one becomes IPv4. */
function comparable(hostname: string): string {
  const [address = ""] = hostname.split("%");
  const canonical = canonicalAddress(address) ?? address;
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(canonical)?.slice(1);
  if (mapped === undefined) return canonical;
  return mapped.map((half) => parseInt(half, 16)).flatMap((half) => [half >> 8, half & 255])
    .join(".");
}

/** Whether a link-local address lacks its zone: only `fe80::1%eth0` says which link (RFC 4007, section 11). */
export function isLinkLocalWithoutZone(hostname: string): boolean {
  return isLinkLocal(hostname) && !hostname.includes("%");
}

export function isLinkLocal(hostname: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(hostname);
}
