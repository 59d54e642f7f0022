import { type Endpoint, formatEndpoint } from "../protocol/addresses.ts";
import { errnoOf, Failure } from "../protocol/failure.ts";

/** Connections that the kernel keeps for the accept loop: 10,000 at once come 6 times as fast as with Deno's 511. */
const BACKLOG = 4_096;
/** How often a port is chosen anew that is free on the first address but not on the others. */
const PORT_TRIES = 20;

/**
 * Listens on those of the addresses that this host has, all on the same port.
 *
 * @param port 0 takes one that is free on all of them.
 * @throws {Failure} of kind `BIND` if one can't be listened on, or if the host has none of them.
 */
export function listenAll(
  addresses: readonly string[],
  port: number,
): Deno.TcpListener[] {
  for (let tries = 1;; tries++) {
    const listeners: Deno.TcpListener[] = [];
    let missing: Failure | undefined;
    try {
      for (const hostname of addresses) {
        try {
          listeners.push(
            listen({ hostname, port: listeners[0]?.addr.port ?? port }),
          );
        } catch (error) {
          if (!isMissingAddress(error)) throw error;
          missing ??= error as Failure;
        }
      }
      if (listeners.length > 0) return listeners;
      throw missing;
    } catch (error) {
      for (const listener of listeners) listener.close();
      const chosenHere = port === 0 && listeners.length > 0;
      if (!chosenHere || tries === PORT_TRIES) throw error;
    }
  }
}

function listen(endpoint: Endpoint): Deno.TcpListener {
  try {
    return Deno.listen({ ...endpoint, tcpBacklog: BACKLOG });
  } catch (cause) {
    throw bindFailure(cause, endpoint);
  }
}

/** Whether listening failed as this host lacks the address or its whole family. */
function isMissingAddress(error: unknown): boolean {
  const code = error instanceof Failure ? errnoOf(error.cause) : undefined;
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}

function bindFailure(cause: unknown, endpoint: Endpoint): Failure {
  const { why, hint } = explain(cause, endpoint.port);
  const message = `cannot listen on ${formatEndpoint(endpoint)}: ${why}`;
  return new Failure("BIND", message, { cause, hint });
}

function explain(cause: unknown, port: number): { why: string; hint: string } {
  switch (errnoOf(cause)) {
    case "EADDRINUSE":
      return {
        why: "the port is in use",
        hint:
          "stop the program that listens there, or choose another port; --port 0 takes any free one",
      };
    case "EACCES":
    case "EPERM":
      return {
        why: port < 1024 ? "ports below 1024 need privileges" : "it is not permitted",
        hint: `choose a port from 1024 up, for example --port ${port < 1024 ? 4000 + port : 4040}`,
      };
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return {
        why: "this host has no such address",
        hint: "choose an address of this host, or leave --host out",
      };
    default:
      return {
        why: cause instanceof Error ? cause.message : String(cause),
        hint: "choose another --host or --port",
      };
  }
}
