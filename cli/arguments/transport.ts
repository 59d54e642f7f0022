import type { Protocol } from "../../protocol/addresses.ts";
import { misuse } from "../errors/failure.ts";
import { system } from "../../sockets/system.ts";
import { type CommandLine, type FlagValues, readHost, readName, readNumber } from "./flags.ts";
import { looksLikeTarget, parseTarget } from "./target.ts";

/** Defines the flag for a host by its name or address. */
export function hostFlag(about: string) {
  return { value: "NAME", about, default: "localhost", read: readHost };
}

/** Defines the flags that say where a server is, for servers and clients alike. */
export function transportFlags(options: {
  readonly hostAbout: string;
  readonly portAbout: string;
  readonly defaultPort: number;
  /** 0 if the system may choose the port. */
  readonly leastPort: 0 | 1;
}) {
  return {
    host: hostFlag(options.hostAbout),
    port: {
      value: "N",
      short: "p",
      about: options.portAbout,
      default: options.defaultPort,
      read: readNumber(options.leastPort, 65_535),
    },
    udp: { short: "u", about: "use UDP: datagrams instead of a connection" },
    unix: {
      value: "PATH",
      about: "use a Unix socket at this path instead of host and port",
      read: readName,
    },
  };
}

/** Flags that make no sense with a transport, each with the reason. */
const meaningless: Record<Protocol, Readonly<Record<string, string>>> = {
  tcp: {},
  udp: {
    "reuse-port": "Deno can't share a UDP port",
    "max-connections": "datagrams need no connection",
    "idle-timeout": "datagrams need no connection",
    "request-timeout": "a datagram arrives whole or not at all",
    grace: "there are no connections to drain",
  },
  unix: {
    "reuse-port": "a Unix socket has a path instead of a port",
    host: "a Unix socket has a path instead of an address",
    port: "a Unix socket has a path instead of a port",
    udp: "a Unix socket is a stream, without datagrams",
    "port-file": "a Unix socket has a path instead of a port",
  },
};

/**
 * Returns the transport that the flags choose.
 *
 * @param given The flags that were given, by their names.
 * @throws {Failure} of kind `USAGE` if a given flag makes no sense with it.
 */
export function chosenTransport(given: ReadonlySet<string>): Protocol {
  const protocol = given.has("unix") ? "unix" : given.has("udp") ? "udp" : "tcp";
  if (protocol === "unix" && !system.hasUnixSockets) {
    throw misuse("--unix is not available on Windows: use --host and --port");
  }
  if (given.has("reuse-port") && !system.spreadsConnections) {
    throw misuse("--reuse-port works only on Linux: start one server instead");
  }
  for (const [name, why] of Object.entries(meaningless[protocol])) {
    if (!given.has(name)) continue;
    throw misuse(`--${name} makes no sense with --${protocol}: ${why}`);
  }
  return protocol;
}

/** The address of the server that a client asks. */
export type ServerPlace =
  | {
    readonly protocol: "tcp" | "udp";
    readonly host: string;
    readonly port: number;
    /** The target as it was typed, if one was. */
    readonly text?: string;
  }
  | { readonly protocol: "unix"; readonly path: string };

type PlaceFlags = ReturnType<typeof transportFlags>;

/**
 * Returns the server that a client's command line names, by its first word if that
 * is a target or by its flags otherwise, and the remaining words.
 *
 * @throws {Failure} of kind `USAGE` if it names two servers, or the one is invalid.
 */
export function chosenServer(
  { flags, given, words, beforeDashes }: CommandLine<PlaceFlags>,
): { readonly server: ServerPlace; readonly words: readonly string[] } {
  const [first = "", ...rest] = words;
  if (beforeDashes === 0 || !looksLikeTarget(first)) {
    return { server: serverOf(flags, chosenTransport(given)), words };
  }
  const saysHow = /^(?:\w+:\/\/|unix:)/i.test(first);
  const server = parseTarget(given.has("udp") && !saysHow ? `udp://${first}` : first);
  const places = ["host", "port", "unix", ...(server.protocol === "udp" ? [] : ["udp"])];
  const surplus = places.find((name) => given.has(name));
  if (surplus === undefined) return { server, words: rest };
  throw misuse(`'${first}' and --${surplus} both say where the server is`, {
    hint: "leave one of the two out; a text that looks like a target goes after --",
  });
}

function serverOf(
  { host, port, unix }: FlagValues<PlaceFlags>,
  protocol: Protocol,
): ServerPlace {
  if (protocol !== "unix") return { protocol, host, port };
  if (unix === undefined) throw new TypeError("Cannot ask over a Unix socket without a path");
  return { protocol, path: unix };
}
