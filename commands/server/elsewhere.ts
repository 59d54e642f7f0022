import { formatEndpoint } from "../../protocol/addresses.ts";
import { shellWord } from "../../text/shell.ts";
import type { Listening } from "./report.ts";

/**
 * The line to type on another machine, for a server that listens beyond
 * loopback; `undefined` where none could connect.
 */
export function lineElsewhere(
  client: string,
  { addresses, port, protocols }: Listening,
): string | undefined {
  const [first] = addresses.flatMap((address) => "path" in address ? [] : [address.hostname]);
  if (first === undefined || port === undefined || isLoopback(first)) return undefined;
  const hostname = first === "0.0.0.0" || first === "::" ? ownAddress(first) : first;
  if (hostname === undefined) return undefined;
  const scheme = protocols.includes("tcp") ? "" : "udp://";
  return `netdemo ${client} ${shellWord(scheme + formatEndpoint({ hostname, port }))}`;
}

/** An address of this host that others can connect to, of IPv4 if there is one and it is served. */
function ownAddress(any: "0.0.0.0" | "::"): string | undefined {
  const all = Deno.networkInterfaces().filter(({ address }) =>
    !isLoopback(address) && !/^(?:fe[89ab]|169\.254)/i.test(address)
  );
  const found = all.find(({ family }) => family === "IPv4") ??
    (any === "::" ? all.find(({ family }) => family === "IPv6") : undefined);
  return found?.address;
}

function isLoopback(hostname: string): boolean {
  return /^127\.|^::1$|^::ffff:127\./i.test(hostname);
}
