import { deadline } from "@std/async/deadline";
import { type InternetEndpoint, loopbackAddresses } from "../protocol/addresses.ts";
import { isWildcard } from "./host_addresses.ts";
import { system } from "./system.ts";

/** Milliseconds within which a program on this host accepts a connection. */
const ANSWER_MS = 100;

/**
 * Makes sure that no program has the port of an address where binding would succeed all the same,
 * and clients reach the one or the other. Only one that accepts a connection is noticed.
 *
 * @throws {Error} with the code `EADDRINUSE`.
 */
export async function assertPortFree(
  endpoint: InternetEndpoint,
  { reusePort = false } = {},
): Promise<void> {
  if (!system.sharesPorts || endpoint.port === 0 || reusePort) return;
  if (!await isAnswered(reachable(endpoint))) return;
  const message = "another program is listening there";
  throw Object.assign(new Deno.errors.AddrInUse(message), { code: "EADDRINUSE" });
}

/** Where a server at this address is reached from its own host. */
function reachable({ hostname, port }: InternetEndpoint): InternetEndpoint {
  if (!isWildcard(hostname)) return { hostname, port };
  const own = loopbackAddresses.find((other) => other.includes(":") === hostname.includes(":"));
  return { hostname: own ?? hostname, port };
}

async function isAnswered(endpoint: InternetEndpoint): Promise<boolean> {
  const connecting = Deno.connect({ ...endpoint }).then((conn) => conn.close());
  connecting.catch(() => {}); // a refusal comes later on Windows
  return await deadline(connecting, ANSWER_MS).then(() => true, () => false);
}
