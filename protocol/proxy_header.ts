import type { Endpoint } from "./addresses.ts";

/** The versions of the PROXY protocol (haproxy.org/download/2.9/doc/proxy-protocol.txt). */
export const proxyVersions = ["v1", "v2"] as const;
export type ProxyVersion = typeof proxyVersions[number];

/** What a header of version 2 begins with. */
const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
/** Version 2, and the command PROXY: what follows is a client's connection. */
const PROXY = 0x21;
/** The same with the command LOCAL: the proxy's own connection, without addresses. */
const LOCAL = 0x20;

const encoder = new TextEncoder();

/**
 * The header with which a proxy says whose connection it passes on, here its own.
 *
 * @param from This end of the connection.
 * @param to The other end.
 */
export function proxyHeader(version: ProxyVersion, from: Endpoint, to: Endpoint): Uint8Array {
  if ("path" in from || "path" in to) {
    return version === "v1"
      ? encoder.encode("PROXY UNKNOWN\r\n")
      : Uint8Array.of(...SIGNATURE, LOCAL, 0, 0, 0);
  }
  const isV6 = to.hostname.includes(":");
  const [source, destination] = [from, to].map(({ hostname }) => withoutZone(hostname));
  if (version === "v1") {
    const family = isV6 ? "TCP6" : "TCP4";
    const line = `PROXY ${family} ${source} ${destination} ${from.port} ${to.port}\r\n`;
    return encoder.encode(line);
  }
  const bytesOf = isV6 ? bytesOfV6 : bytesOfV4;
  const ports = [from.port, to.port].flatMap((port) => [port >> 8, port & 255]);
  const addresses = [...bytesOf(source ?? ""), ...bytesOf(destination ?? ""), ...ports];
  const family = isV6 ? 0x21 : 0x11; // with TCP
  return Uint8Array.of(...SIGNATURE, PROXY, family, 0, addresses.length, ...addresses);
}

function withoutZone(hostname: string): string {
  return hostname.split("%")[0] ?? "";
}

function bytesOfV4(address: string): number[] {
  return address.split(".").map(Number);
}

/** The 16 bytes of an IPv6 address (RFC 4291, section 2.2). */
function bytesOfV6(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const groups = (text: string): number[] =>
    text === ""
      ? []
      : text.split(":").flatMap((group) =>
        group.includes(".")
          ? bytesOfV4(group)
          : [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]
      );
  const [before, after] = [groups(head), groups(tail ?? "")];
  return [...before, ...Array(16 - before.length - after.length).fill(0), ...after];
}
