import type { Protocol } from "../protocol/addresses.ts";
import { Failure } from "./failure.ts";
import { readHost, readName, readNumber } from "./flags.ts";

/** The flag for a host by its name or address. */
export function hostFlag(about: string) {
  return { value: "NAME", about, default: "localhost", read: readHost };
}

/** The flags that say where a server is, the same for servers and clients. */
export function transportFlags(options: {
  readonly hostAbout: string;
  readonly portAbout: string;
  readonly defaultPort: number;
  /** 0 where the system may choose the port. */
  readonly leastPort: 0 | 1;
}) {
  return {
    host: hostFlag(options.hostAbout),
    port: {
      value: "N",
      about: options.portAbout,
      default: options.defaultPort,
      read: readNumber(options.leastPort, 65_535),
    },
    udp: { about: "use UDP: datagrams instead of a connection" },
    unix: {
      value: "PATH",
      about: "use a Unix socket at this path instead of host and port",
      read: readName,
    },
  };
}

/** Flags that mean nothing to a transport, each with the reason. */
const meaningless: Record<Protocol, Readonly<Record<string, string>>> = {
  tcp: {},
  udp: {
    "reuse-port": "Deno can't share a UDP port",
    "max-connections": "datagrams need no connection",
    "idle-timeout": "datagrams need no connection",
    "request-timeout": "a datagram arrives whole or not at all",
    grace: "there is no connection that needs time to end",
  },
  unix: {
    "reuse-port": "a Unix socket has a path instead of a port",
    host: "a Unix socket has a path instead of an address",
    port: "a Unix socket has a path instead of a port",
    udp: "a Unix socket is a stream of its own, without UDP",
    "port-file": "a Unix socket has a path instead of a port",
  },
};

/**
 * The transport that the flags choose.
 *
 * @param given The flags that were given, by their names.
 * @throws {Failure} of kind `USAGE` if a flag was given that means nothing to it.
 */
export function chosenTransport(given: ReadonlySet<string>): Protocol {
  const protocol = given.has("unix") ? "unix" : given.has("udp") ? "udp" : "tcp";
  if (protocol === "unix" && Deno.build.os === "windows") {
    throw new Failure("USAGE", "--unix is not available on Windows: use --host and --port");
  }
  if (given.has("reuse-port") && Deno.build.os !== "linux") {
    throw new Failure("USAGE", "--reuse-port works only on Linux: start one server instead");
  }
  for (const [name, why] of Object.entries(meaningless[protocol])) {
    if (!given.has(name)) continue;
    throw new Failure("USAGE", `--${name} makes no sense with --${protocol}: ${why}`);
  }
  return protocol;
}
