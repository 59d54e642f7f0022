import { canonicalAddress } from "../../protocol/addresses.ts";

/** Where an address can be reached from. */
export type Reach = "this host" | "this link" | "this site" | "everywhere" | "nobody" | "a group";

/** A kind of IP address. */
export interface AddressKind {
  readonly name: string;
  readonly reach: Reach;
  /** The document that defines it. */
  readonly source: string;
}

/** A kind of port. */
export interface PortKind {
  readonly name: "well-known" | "registered" | "ephemeral" | "any free one";
  readonly about: string;
  /** The document that defines it. */
  readonly source: string;
}

interface Range extends AddressKind {
  readonly first: bigint;
  readonly bits: number;
}

/** IANA's special-purpose registries (RFC 6890), the narrower range first. */
const ranges4: readonly Range[] = [
  range("0.0.0.0/32", "unspecified", "nobody", "RFC 1122, section 3.2.1.3"),
  range("0.0.0.0/8", "this network", "nobody", "RFC 1122, section 3.2.1.3"),
  range("127.0.0.0/8", "loopback", "this host", "RFC 1122, section 3.2.1.3"),
  range("10.0.0.0/8", "private", "this site", "RFC 1918"),
  range("172.16.0.0/12", "private", "this site", "RFC 1918"),
  range("192.168.0.0/16", "private", "this site", "RFC 1918"),
  range("100.64.0.0/10", "shared by a provider's customers", "this site", "RFC 6598"),
  range("169.254.0.0/16", "link-local", "this link", "RFC 3927"),
  range("192.0.0.0/24", "IETF protocol assignments", "nobody", "RFC 6890"),
  range("192.0.2.0/24", "documentation", "nobody", "RFC 5737"),
  range("198.51.100.0/24", "documentation", "nobody", "RFC 5737"),
  range("203.0.113.0/24", "documentation", "nobody", "RFC 5737"),
  range("198.18.0.0/15", "benchmarking", "nobody", "RFC 2544"),
  range("224.0.0.0/4", "multicast", "a group", "RFC 5771"),
  range("255.255.255.255/32", "broadcast", "this link", "RFC 919"),
  range("240.0.0.0/4", "reserved", "nobody", "RFC 1112, section 4"),
];

const ranges6: readonly Range[] = [
  range("::/128", "unspecified", "nobody", "RFC 4291, section 2.5.2"),
  range("::1/128", "loopback", "this host", "RFC 4291, section 2.5.3"),
  range("::ffff:0:0/96", "IPv4-mapped", "nobody", "RFC 4291, section 2.5.5.2"),
  range("64:ff9b::/96", "IPv4 through NAT64", "everywhere", "RFC 6052"),
  range("100::/64", "discarded", "nobody", "RFC 6666"),
  range("2001:db8::/32", "documentation", "nobody", "RFC 3849"),
  range("3fff::/20", "documentation", "nobody", "RFC 9637"),
  range("2001:2::/48", "benchmarking", "nobody", "RFC 5180"),
  range("2002::/16", "6to4", "everywhere", "RFC 3056"),
  range("fc00::/7", "private (unique local)", "this site", "RFC 4193"),
  range("fe80::/10", "link-local", "this link", "RFC 4291, section 2.5.6"),
  range("ff00::/8", "multicast", "a group", "RFC 4291, section 2.7"),
  range("2000::/3", "public", "everywhere", "RFC 4291, section 2.5.4"),
];

const public4: AddressKind = { name: "public", reach: "everywhere", source: "RFC 6890" };
const reserved6: AddressKind = {
  name: "reserved",
  reach: "nobody",
  source: "RFC 4291, section 2.4",
};

/** 4 or 6 for an IP address in its canonical form. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}

/**
 * Returns the kind of an IP address. An IPv4-mapped one is reported as such,
 * not as the IPv4 address that it contains.
 *
 * @throws {TypeError} if it is not an IP address.
 */
export function kindOfAddress(address: string): AddressKind {
  const number = numberOf(address);
  const is4 = familyOf(address) === 4;
  const width = is4 ? 32n : 128n;
  const found = (is4 ? ranges4 : ranges6).find(({ first, bits }) => {
    const shift = width - BigInt(bits);
    return number >> shift === first >> shift;
  });
  const { name, reach, source } = found ?? (is4 ? public4 : reserved6);
  return { name, reach, source };
}

/** Returns the kind of a port (RFC 6335, section 6). */
export function kindOfPort(port: number): PortKind {
  const source = "RFC 6335, section 6";
  if (port === 0) return { name: "any free one", about: "for servers only", source };
  if (port < 1_024) {
    return { name: "well-known", about: "for system services; needs privileges", source };
  }
  if (port < 49_152) return { name: "registered", about: "for any server", source };
  return { name: "ephemeral", about: "assigned to clients while they need one", source };
}

function range(prefix: string, name: string, reach: Reach, source: string): Range {
  const [address = "", bits] = prefix.split("/");
  return { first: numberOf(address), bits: Number(bits), name, reach, source };
}

/** An address as a number of 32 or 128 bits. */
function numberOf(text: string): bigint {
  const [address = ""] = (canonicalAddress(text) ?? "").split("%");
  if (address === "") {
    throw new TypeError(`Cannot name the kind of an IP address: received '${text}'`);
  }
  if (familyOf(address) === 4) {
    return address.split(".").reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  }
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const groups = [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}
