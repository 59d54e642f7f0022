import { type Endpoint, formatEndpoint, type Protocol } from "../../protocol/addresses.ts";
import type { Service } from "../../services/service.ts";
import { shellWord } from "../../text/shell.ts";

/** Where a service is served, and over what. */
export interface Listening {
  readonly addresses: readonly Endpoint[];
  readonly protocols: readonly Protocol[];
  /** The port, the same on every address; `undefined` for a Unix socket. */
  readonly port: number | undefined;
}

/** The line to type to ask a service, with sample words for its client. */
export function lineToAsk(
  { name, file }: Service,
  where: string,
  sample: readonly string[] = [],
): string {
  return file === undefined
    ? ["netdemo", `${name}-client`, where, ...sample.map(shellWord)].join(" ")
    : `netdemo check --talk ${shellWord(file)} ${where}`;
}

/**
 * The line to type on another machine, for a server that listens beyond
 * loopback; `undefined` if no other machine could connect.
 */
export function lineElsewhere(
  service: Service,
  { addresses, port, protocols }: Listening,
): string | undefined {
  if (port === undefined) return undefined;
  const hostnames = addresses.flatMap((address) => "path" in address ? [] : [address.hostname]);
  const every = hostnames.find((hostname) => hostname === "0.0.0.0" || hostname === "::");
  const hostname = every === undefined
    ? hostnames.find((hostname) => !isLocal(hostname))
    : ownAddress(every);
  if (hostname === undefined) return undefined;
  const scheme = protocols.includes("tcp") ? "" : "udp://";
  return lineToAsk(service, shellWord(scheme + formatEndpoint({ hostname, port })));
}

/** An address of this host that others can connect to, preferably IPv4. */
function ownAddress(any: "0.0.0.0" | "::"): string | undefined {
  const all = Deno.networkInterfaces().filter(({ address }) => !isLocal(address));
  const found = all.find(({ family }) => family === "IPv4") ??
    (any === "::" ? all.find(({ family }) => family === "IPv6") : undefined);
  return found?.address;
}

/** Whether an address is loopback or link-local: on another machine it means something else. */
function isLocal(hostname: string): boolean {
  return /^(?:127\.|::1$|::ffff:127\.|fe[89ab]|169\.254\.)/i.test(hostname);
}
