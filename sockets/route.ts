import { bindClient } from "./listen.ts";
import { errnoOf } from "./errno.ts";

/**
 * Bytes of a datagram that the system looks up a route for, but that is too large to be sent over
 * IPv4 (65,507) or IPv6 (65,527).
 */
const UNSENDABLE = 65_530;

/** Errnos that are always about this host, whatever the route. */
const local = ["EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETDOWN", "EPERM"];

/** `224.0.0.0/4`, `ff00::/8` and the limited broadcast address. */
const TO_MANY = /^(?:22[4-9]\.|23\d\.|255\.255\.255\.255$|ff[\da-f]{2}:)/i;

/**
 * Whether this host itself refuses to send to an address: it has no route to it, or one that
 * forbids it, or the address stands for many hosts, to which there are no connections (RFC 1122,
 * section 4.2.3.10). A router's answer gives the same errno to `connect`, but not to a datagram. Nothing
 * is sent to find out.
 *
 * @param errno How connecting to the address or sending to it failed.
 */
export async function isRefusedHere(hostname: string, errno: string | undefined): Promise<boolean> {
  if (errno === undefined) return false;
  if (local.includes(errno) || TO_MANY.test(hostname)) return true;
  if (Deno.networkInterfaces().some((one) => broadcastOf(one) === hostname)) return true;
  const found = await routeErrno(hostname) ?? "";
  return found === errno || local.includes(found);
}

/** The address of all hosts on an interface's network: `10.0.0.255`. */
function broadcastOf({ address, netmask }: Deno.NetworkInterfaceInfo): string | undefined {
  const mask = netmask.split(".").map(Number);
  if (mask.length !== 4 || (mask[3] ?? 0) >= 254) return undefined; // /31 and /32 have none (RFC 3021)
  return address.split(".").map((octet, index) => Number(octet) | 255 - (mask[index] ?? 0)).join(
    ".",
  );
}

/** The errno of the route to an address; `undefined` if there is a route. */
async function routeErrno(hostname: string): Promise<string | undefined> {
  try {
    const socket = bindClient({ hostname, port: 0 });
    try {
      const to = { transport: "udp", hostname, port: 9 } as const; // never used
      await socket.send(new Uint8Array(UNSENDABLE), to);
      return undefined;
    } finally {
      socket.close();
    }
  } catch (error) {
    const errno = errnoOf(error);
    return errno === "EMSGSIZE" ? undefined : errno;
  }
}

/** Whether this host has any address of the family of the given one. */
export function hasFamilyOf(hostname: string): boolean {
  const family = hostname.includes(":") ? "IPv6" : "IPv4";
  return Deno.networkInterfaces().some((it) => it.family === family);
}
