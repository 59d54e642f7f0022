/** Whether an address stands for all of this host's. */
export function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

export function isLoopback(hostname: string): boolean {
  return hostname.startsWith("127.") || hostname === "::1";
}

/**
 * The addresses of this host that an address stands for: itself, or those that
 * the host has now, loopback first. `::` stands for both families.
 */
export function hostAddresses(hostname: string): readonly string[] {
  if (!isWildcard(hostname)) return [hostname];
  const found = Deno.networkInterfaces()
    .filter(({ family }) => hostname === "::" || family === "IPv4")
    // A link-local address means nothing without its interface (RFC 4007, section 11).
    .map(({ name, address }) => /^fe[89ab]/i.test(address) ? `${address}%${name}` : address);
  const sorted = [
    ...found.filter(isLoopback),
    ...found.filter((address) => !isLoopback(address)),
  ];
  return sorted.length === 0 ? [hostname] : [...new Set(sorted)];
}
