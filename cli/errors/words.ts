import { errnoOf } from "../../sockets/errno.ts";

/** A failure in words for the user. */
export interface Words {
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
}

/** How the hints of a command name its flags. */
export interface FlagNames {
  /** The flag for a host or an address, if there is one. */
  readonly host?: string | undefined;
  /** Formats a port as it is typed: `--port 4040`. */
  port(port: number): string;
}

export const usualFlags: FlagNames = { host: "--host", port: (port) => `--port ${port}` };

/** The words for an address whose zone this host does not have; Deno looks it up like a name. */
export function unknownZone(hostname: string, cause: unknown) {
  const [, zone] = hostname.split("%");
  if (zone === undefined || errnoOf(cause) !== undefined) return undefined;
  const hint = "netdemo address lists this host's interfaces and their addresses";
  return { why: `this host has no interface '${zone}' for that address`, hint };
}
