import { isWildcard } from "../../sockets/host_addresses.ts";
import { os } from "../../sockets/system.ts";
import { hasZoneNamed, isZoneUnknown } from "../../sockets/zone.ts";
import { cannot, NEWER_RUNTIME } from "../runtime.ts";

/** A failure in words for the user. */
export interface Words {
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
}

/** How the hints of a command name its flags. */
export interface FlagNames {
  /** The flag for a host or an address, if there is one. */
  readonly host?: string | undefined;
  /** Formats a port as it is typed: `--port 4040`. */
  port(port: number): string;
}

export const usualFlags: FlagNames = { host: "--host", port: (port) => `--port ${port}` };

/** What to do if `0.0.0.0` or `::` can't be connected to, as on Windows; `undefined` for others. */
export function wildcardHint(hostname: string): string | undefined {
  if (!isWildcard(hostname)) return undefined;
  const own = hostname === "::" ? "::1" : "127.0.0.1";
  return `${hostname} is for servers, and means all addresses: connect to ${own}`;
}

/** What is wrong if an address of this host itself can't be used, as in a new network namespace. */
export const NO_LOOPBACK = "this host's loopback interface is down, or has no such address";

/** What to do about a link-local address without an interface. */
export const NEEDS_ZONE = "name the interface after a %, as netdemo address lists them";

/**
 * The words for an address whose zone this host, or its runtime, does not have.
 *
 * @param cause The error, if it is known.
 */
export function unknownZone(hostname: string, cause?: unknown) {
  if (!isZoneUnknown(hostname, cause)) return undefined;
  const [, zone = ""] = hostname.split("%");
  // The build falls back to that runtime on Linux alone; Windows has interfaces of no use.
  if (os === "linux" && hasZoneNamed(zone)) return { why: cannot("zone"), hint: NEWER_RUNTIME };
  const hint = "netdemo address lists this host's interfaces and their addresses";
  return { why: `this host has no interface '${zone}' for that address`, hint };
}
