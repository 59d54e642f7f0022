import { canonicalAddress, loopbackAddresses } from "../protocol/addresses.ts";
import { formatDuration } from "../protocol/duration.ts";
import { errnoOf, Failure } from "../protocol/failure.ts";

/**
 * The IP addresses to connect to or listen on for a host name or an IP address.
 *
 * @param timeout Milliseconds to wait for the resolver. @default {never}
 * @throws {Failure} of kind `DNS` if the name does not resolve, `TIMEOUT` if the resolver is silent.
 */
export async function resolve(host: string, timeout?: number): Promise<readonly string[]> {
  const address = canonicalAddress(host);
  if (address !== undefined) return [address];
  return isLocalhost(host) ? loopbackAddresses : await lookUp(host, timeout);
}

/** Names that always mean this host (RFC 6761, section 6.3). */
function isLocalhost(host: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}

/**
 * What a host name stands for, as programs on this host resolve it (hosts file
 * included), in the resolver's order.
 *
 * @param timeout Milliseconds to wait for the resolver. @default {never}
 * @throws {Failure} of kind `DNS` if the name does not resolve, `TIMEOUT` if the resolver is silent.
 */
export async function lookUp(host: string, timeout?: number): Promise<readonly string[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<never>((_, reject) => {
    if (timeout === undefined) return;
    const hint = "the name server does not answer: check the network, or give an IP address";
    const message = `cannot resolve ${host} within ${formatDuration(timeout)}`;
    timer = setTimeout(() => reject(new Failure("TIMEOUT", message, { hint })), timeout);
  });
  try {
    return await Promise.race([askResolver(host), silent]);
  } finally {
    clearTimeout(timer);
  }
}

/** The system's resolver, which is loaded when it is needed: most commands never do. */
export async function systemResolver(): Promise<typeof import("node:dns/promises")> {
  // Up to Deno 2.5 it warns on stderr of a deprecated module of Deno's own.
  const { default: process } = await import("node:process");
  process.emitWarning = () => {};
  return await import("node:dns/promises");
}

async function askResolver(host: string): Promise<readonly string[]> {
  const { lookup } = await systemResolver();
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    const code = errnoOf(cause);
    const why = code === undefined || code === "ENOTFOUND" ? "" : ` (${code})`;
    throw new Failure("DNS", `the host name '${host}' does not resolve${why}`, { cause });
  }
}
