import { deadline } from "@std/async/deadline";
import { canonicalAddress } from "../../protocol/addresses.ts";
import { kindOfAddress } from "./address_kinds.ts";
import { systemResolver } from "../../sockets/resolve.ts";
import { os } from "../../sockets/system.ts";
import { zoneOf } from "../../sockets/zone.ts";

/** Milliseconds to wait for the name of an address, which is optional. */
const REVERSE_TIMEOUT_MS = 2_000;

/** An address of this host. */
export interface LocalAddress {
  /** `lo`, `eth0`. */
  readonly interface: string;
  /** If link-local, with the interface as its zone (RFC 4007), as connecting requires. */
  readonly address: string;
}

/** The addresses of this host by interface, loopback first. */
export function localAddresses(): LocalAddress[] {
  const found = Deno.networkInterfaces().map((one) => {
    const bare = canonicalAddress(one.address) ?? one.address;
    const needsZone = bare.includes(":") && kindOfAddress(bare).name === "link-local";
    return { interface: one.name, address: needsZone ? `${bare}%${zoneOf(one)}` : bare };
  });
  const rank = ({ address }: LocalAddress): number =>
    kindOfAddress(address).name === "loopback" ? 0 : 1;
  return found.sort((one, other) =>
    rank(one) - rank(other) || one.interface.localeCompare(other.interface)
  );
}

/** The system's name for an address; `undefined` if it has none or takes too long. */
export async function reverseName(address: string): Promise<string | undefined> {
  const { lookupService } = await systemResolver();
  const [bare = ""] = address.split("%");
  try {
    const { hostname } = await deadline(lookupService(bare, 0), REVERSE_TIMEOUT_MS);
    return hostname === bare ? undefined : hostname;
  } catch {
    return undefined;
  }
}

/** A service as named by the system. */
export interface NamedService {
  readonly name: string;
  /** `tcp`, `udp`. */
  readonly protocols: readonly string[];
}

/** The system's names for the services of a port (services(5)); empty without that file. */
export async function servicesOf(port: number): Promise<NamedService[]> {
  const path = os === "windows" ? "C:\\Windows\\System32\\drivers\\etc\\services" : "/etc/services";
  const text = await Deno.readTextFile(path).catch(() => "");
  const found = new Map<string, string[]>();
  for (const [, name = "", number, protocol = ""] of text.matchAll(/^(\S+)\s+(\d+)\/(\w+)/gm)) {
    if (Number(number) === port) found.set(name, [...(found.get(name) ?? []), protocol]);
  }
  return [...found].map(([name, protocols]) => ({ name, protocols }));
}
