import { type Endpoint, formatEndpoint, type InternetEndpoint } from "../protocol/addresses.ts";
import { errnoOf, Failure } from "../protocol/failure.ts";

/** Connections that the kernel keeps for the accept loop: 10,000 at once come 6 times as fast as with Deno's 511. */
const BACKLOG = 4_096;
/** How often a port is chosen anew that is free on the first address but not on the others. */
const PORT_TRIES = 20;

/** What is to be closed and has an Internet address: a TCP listener, a UDP socket. */
interface Bound {
  readonly addr: Deno.Addr;
  close(): void;
}

/**
 * Listens for TCP connections on those of the addresses that this host has,
 * all on the same port.
 *
 * @param port 0 takes one that is free on all of them.
 * @param reusePort Whether others that say so too may listen there as well.
 * @throws {Failure} of kind `BIND` if one can't be listened on, or if the host has none of them.
 */
export function listenTcp(
  addresses: readonly string[],
  port: number,
  reusePort = false,
): Deno.TcpListener[] {
  return onEach(
    addresses,
    port,
    (endpoint) => Deno.listen({ ...endpoint, tcpBacklog: BACKLOG, reusePort }),
  );
}

/** Binds UDP sockets, as {@linkcode listenTcp} listens. */
export function bindUdp(addresses: readonly string[], port: number): Deno.DatagramConn[] {
  return onEach(
    addresses,
    port,
    (endpoint) => Deno.listenDatagram({ ...endpoint, transport: "udp" }),
  );
}

function onEach<B extends Bound>(
  addresses: readonly string[],
  port: number,
  bind: (endpoint: InternetEndpoint) => B,
): B[] {
  for (let tries = 1;; tries++) {
    const bound: B[] = [];
    let missing: Failure | undefined;
    try {
      for (const hostname of addresses) {
        const endpoint = { hostname, port: portOf(bound[0]) ?? port };
        try {
          bound.push(bind(endpoint));
        } catch (cause) {
          const failure = bindFailure(cause, endpoint);
          if (!isMissingAddress(cause)) throw failure;
          missing ??= failure;
        }
      }
      if (bound.length > 0) return bound;
      throw missing;
    } catch (error) {
      for (const one of bound) one.close();
      const chosenHere = port === 0 && bound.length > 0;
      if (!chosenHere || tries === PORT_TRIES) throw error;
    }
  }
}

function portOf(bound: Bound | undefined): number | undefined {
  return bound !== undefined && "port" in bound.addr ? bound.addr.port : undefined;
}

/** Whether binding failed as this host lacks the address or its whole family. */
function isMissingAddress(cause: unknown): boolean {
  const code = errnoOf(cause);
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}

/** Why a server can't have its address, and what to do about it. */
export function bindFailure(cause: unknown, endpoint: Endpoint): Failure {
  const { why, hint } = "path" in endpoint ? explainPath(cause) : explain(cause, endpoint);
  const message = `cannot listen on ${formatEndpoint(endpoint)}: ${why}`;
  return new Failure("BIND", message, { cause, hint });
}

interface Explanation {
  readonly why: string;
  readonly hint: string;
}

function explain(cause: unknown, { hostname, port }: InternetEndpoint): Explanation {
  switch (errnoOf(cause)) {
    case "EADDRINUSE":
      return {
        why: "the port is in use",
        hint: "stop the program that listens there, or choose another port; " +
          "--port 0 takes any free one",
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
      return isLinkLocalWithoutZone(hostname)
        ? {
          why: "a link-local address is not complete without its interface",
          hint: `name the interface after a %, for example --host ${hostname}%eth0`,
        }
        : { why: textOf(cause), hint: "choose another --host or --port" };
  }
}

function explainPath(cause: unknown): Explanation {
  switch (errnoOf(cause)) {
    case "ENOENT":
      return { why: "there is no such folder", hint: "create the folder, or choose another path" };
    case "EACCES":
    case "EPERM":
      return { why: "it is not permitted", hint: "choose a folder that you can write to" };
    default:
      return { why: textOf(cause), hint: "choose another path" };
  }
}

/** RFC 4007, section 11: `fe80::1` is on every link; only `fe80::1%eth0` says which. */
function isLinkLocalWithoutZone(hostname: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(hostname) && !hostname.includes("%");
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
