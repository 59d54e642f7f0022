import { deadline } from "@std/async/deadline";
import { canonicalAddress, loopbackAddresses } from "../protocol/addresses.ts";
import { descriptors } from "./descriptors.ts";
import { SocketFailure } from "./failure.ts";
import { isLoopback, isWildcard } from "./host_addresses.ts";
import { os } from "./system.ts";

/**
 * The IP addresses to connect to or listen on for a host name or an IP address.
 *
 * @param timeout Milliseconds to wait for the resolver. @default {never}
 * @throws {SocketFailure} of kind `DNS` if the name does not resolve, `TIMEOUT` if the resolver is silent.
 */
export async function resolve(host: string, timeout?: number): Promise<readonly string[]> {
  return knownAddresses(host) ?? await lookUp(host, timeout);
}

/** The IP addresses of an IP address or of `localhost`; `undefined` for a name that must be looked up. */
export function knownAddresses(host: string): readonly string[] | undefined {
  const address = canonicalAddress(host);
  if (address !== undefined) return [address];
  return isLocalhost(host) ? loopbackAddresses : undefined;
}

/** Whether a name or an address always means this host, as `localhost`, `127.0.0.2`, `0.0.0.0` do. */
export function isThisHost(host: string): boolean {
  const address = canonicalAddress(host) ?? "";
  return isLocalhost(host) || isLoopback(address) || isWildcard(address);
}

/** Names that always mean this host (RFC 6761, section 6.3). */
function isLocalhost(host: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}

/**
 * The IP addresses of a host name, as programs on this host resolve it (hosts file
 * included), in the resolver's order.
 *
 * @param timeout Milliseconds to wait for the resolver. @default {never}
 * @throws {SocketFailure} of kind `DNS` if the name does not resolve, `TIMEOUT` if the resolver is silent.
 */
export async function lookUp(host: string, timeout?: number): Promise<readonly string[]> {
  if (timeout === undefined) return await askResolver(host);
  try {
    return await deadline(askResolver(host), timeout);
  } catch (cause) {
    if (cause instanceof SocketFailure) throw cause;
    throw new SocketFailure("TIMEOUT", { phase: "resolve", host, timeoutMs: timeout }, cause);
  }
}

/** The system's resolver, loaded on first use: most commands never need it. */
export async function systemResolver(): Promise<typeof import("node:dns/promises")> {
  // Up to Deno 2.5, loading it warns on stderr about a deprecated module of Deno's own (DEP0040).
  const { default: process } = await import("node:process");
  Object.assign(process, { noDeprecation: true });
  return await import("node:dns/promises");
}

/**
 * Lookups to begin at a time: each takes a thread of the runtime until the system gives up, even if
 * nobody waits for it any more. The runtime has 32 for these and for files, standard output
 * included; on Windows 4 for each core.
 */
const MAX_LOOKUPS = os === "windows" ? 2 * navigator.hardwareConcurrency : 24;

/** The lookups under way, by their names. */
const underWay = new Map<string, Promise<readonly string[]>>();
const waiting: (() => void)[] = [];

/** A lookup that the system has begun. */
interface BegunLookUp {
  readonly found: Promise<readonly string[]>;
}

/**
 * Looks a name up as {@linkcode lookUp} does, once that need not wait for other lookups.
 *
 * @returns `undefined` if the signal aborts before.
 */
export async function beginLookUp(
  host: string,
  signal?: AbortSignal,
): Promise<BegunLookUp | undefined> {
  while (underWay.size >= MAX_LOOKUPS && !underWay.has(host) && !signal?.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    signal?.addEventListener("abort", () => resolve(), { once: true });
    await promise;
  }
  return signal?.aborted ? undefined : { found: askResolver(host) };
}

/** Asks the system's resolver, unless it is busy with this name already. */
function askResolver(host: string): Promise<readonly string[]> {
  const known = underWay.get(host);
  if (known !== undefined) return known;
  const lookup = askSystem(host).finally(() => {
    underWay.delete(host);
    waiting.shift()?.();
  });
  underWay.set(host, lookup);
  return lookup;
}

async function askSystem(host: string): Promise<readonly string[]> {
  const { lookup } = await systemResolver();
  const giveBack = descriptors.take();
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    throw new SocketFailure("DNS", { phase: "resolve", host }, cause);
  } finally {
    giveBack();
  }
}
