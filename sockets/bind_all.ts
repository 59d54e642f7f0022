import type { InternetEndpoint } from "../protocol/addresses.ts";
import { errnoOf } from "./errno.ts";
import { SocketFailure } from "./failure.ts";
import { isZoneUnknown } from "./zone.ts";

/** How many ports to try that are free for the first socket, until one is free for all. */
export const PORT_TRIES = 20;

/** A socket that is bound to an address. */
interface Bound {
  readonly addr: InternetEndpoint;
  close(): void;
}

/** Binds a socket. @throws {Error} with the errno name as its `code`. */
type Bind<B extends Bound> = (endpoint: InternetEndpoint) => B | Promise<B>;

/**
 * Binds to those of the addresses that this host has, all on the same port.
 *
 * @param port 0 picks one that is free on all of them.
 * @param onMissing Called for each that this host lacks.
 * @throws {SocketFailure} of kind `BIND` if one can't be bound, or if the host has none of them.
 */
export async function bindAll<B extends Bound>(
  addresses: readonly string[],
  port: number,
  bind: Bind<B>,
  onMissing: (failure: SocketFailure) => void = () => {},
): Promise<B[]> {
  for (let tries = 1;; tries++) {
    const bound: B[] = [];
    try {
      const missing = await bindInto(bound, addresses, port, bind);
      missing.forEach(onMissing);
      return bound;
    } catch (error) {
      for (const one of bound) one.close();
      const chosenHere = port === 0 && bound.length > 0;
      if (!chosenHere || tries === PORT_TRIES) throw error;
    }
  }
}

async function bindInto<B extends Bound>(
  bound: B[],
  addresses: readonly string[],
  port: number,
  bind: Bind<B>,
): Promise<readonly SocketFailure[]> {
  const missing: SocketFailure[] = [];
  for (const hostname of addresses) {
    const endpoint = { hostname, port: bound[0]?.addr.port ?? port };
    try {
      bound.push(await bind(endpoint));
    } catch (cause) {
      const failure = new SocketFailure("BIND", { phase: "listen", endpoint }, cause);
      if (!isMissingAddress(hostname, cause)) throw failure;
      missing.push(failure);
    }
  }
  if (bound.length === 0) throw missing[0];
  return missing;
}

/** Whether binding failed because this host lacks the address, its zone or its whole family. */
function isMissingAddress(hostname: string, cause: unknown): boolean {
  const code = errnoOf(cause);
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT" || isZoneUnknown(hostname, cause);
}
