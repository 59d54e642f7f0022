import { familyOf, kindOfAddress, kindOfPort } from "./address_kinds.ts";
import { canonicalAddress } from "../../protocol/addresses.ts";
import { misuse } from "../../cli/errors/failure.ts";
import type { Event, EventOf } from "../../cli/output/events.ts";
import type { Program } from "../../cli/command.ts";
import { problemOfHost } from "../../cli/arguments/host.ts";
import { durationFlag, parseCommandLine } from "../../cli/arguments/flags.ts";
import { type Channels, eventLine, rounded } from "../../cli/output/channels.ts";
import { resolve, systemResolver } from "../../sockets/resolve.ts";
import { localAddresses, reverseName, servicesOf } from "./this_host.ts";
import { displayOf } from "../../cli/output/terminal.ts";
import { shellWord } from "../../text/shell.ts";
import { widthOf, wrap } from "../../text/width.ts";
import { visible } from "../../text/visible.ts";

const DEFAULT_TIMEOUT_MS = 5_000;

const flags = {
  timeout: durationFlag("longest wait for a name to resolve", DEFAULT_TIMEOUT_MS),
  json: { about: "print each address, and the port, as JSON, one object per line" },
};

/** The command that shows and explains addresses, host names and ports. */
export const program: Program = {
  usage: "[NAME | ADDRESS][:PORT]",
  about: `Without an argument, shows this host's name and its addresses by interface, and
where they can be reached from. With a host NAME, shows the addresses that it
stands for, as programs on this host resolve it. With an ADDRESS or a PORT, says
what kind it is and which document defines it.`,
  examples: [
    "netdemo address",
    "netdemo address localhost",
    "netdemo address 10.0.0.5:8080",
    "netdemo address [::1]:40",
  ],
  flags,
  parse(args) {
    const { flags: { json, timeout }, words } = parseCommandLine(args, flags);
    const [text = "", surplus] = words;
    if (surplus !== undefined) {
      throw misuse(`address takes one argument: received '${surplus}' as well`);
    }
    const target = words.length === 0 ? undefined : readSubject(text);
    return async (channels) => {
      const facts = target === undefined ? aboutThisHost() : await about(target, timeout);
      await show(facts, json, channels);
      const other = otherReading(text);
      if (other !== undefined) {
        const line = `netdemo address ${shellWord(other)}`;
        channels.stderr.line(`hint: to give a port with an IPv6 address, type: ${line}`);
      }
      return 0;
    };
  },
};

/** What was asked about: at least one of the two. */
interface Subject {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** @throws {Failure} of kind `USAGE` if the text is not a name, an address or a port. */
function readSubject(text: string): Subject {
  if (canonicalAddress(text) !== undefined) return { host: text };
  if (/^\d+$|[/\s]/.test(text)) throw misuse(`'${text}' is neither a host name nor an address`);
  const [, host = "", digits] = /^(\[.*\]|[^:]*):([^:]*)$/.exec(text) ?? [undefined, text];
  const port = digits === undefined ? undefined : /^\d{1,5}$/.test(digits) ? Number(digits) : NaN;
  if (port !== undefined && !(port <= 65_535)) {
    throw misuse(`a port is a whole number from 0 to 65535: received '${digits}'`);
  }
  const problem = problemOfHost(host);
  if (problem !== undefined) throw misuse(problem.why, { hint: problem.hint });
  if (host === "" && port === undefined) throw misuse("the argument must not be empty");
  return { host: host === "" ? undefined : host, port };
}

/** `[::1]:40` for `::1:40`, which is an address but looks like one with a port. */
function otherReading(text: string): string | undefined {
  const [, host = "", port] = /^(.*[^:]):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || !host.includes(":") || canonicalAddress(host) === undefined) {
    return undefined;
  }
  return host.startsWith("[") ? undefined : `[${host}]:${port}`;
}

/** What is known about one address, and about a port, as `--json` has it. */
type AddressFacts = Omit<EventOf<"address">, "event" | "name" | "elapsedMs">;
type PortFacts = Omit<EventOf<"port">, "event">;

interface Facts {
  /** This host's name, if that was asked for. */
  readonly hostName?: string;
  /** The name that was resolved. */
  readonly name?: string;
  readonly elapsedMs?: number;
  readonly addresses: readonly AddressFacts[];
  readonly port?: PortFacts | undefined;
}

function aboutThisHost(): Facts {
  const addresses = localAddresses().map((local) => ({
    interface: local.interface,
    ...aboutAddress(local.address),
  }));
  return { hostName: Deno.hostname(), addresses };
}

async function about({ host, port }: Subject, timeout: number): Promise<Facts> {
  const portFacts = port === undefined ? undefined : await aboutPort(port);
  if (host === undefined) return { addresses: [], port: portFacts };
  const literal = canonicalAddress(host);
  if (literal !== undefined) return { addresses: [await withName(literal)], port: portFacts };

  await systemResolver(); // so that loading it is not measured
  const start = performance.now();
  const found = await resolve(host, timeout);
  const elapsedMs = rounded(performance.now() - start);
  const addresses = await Promise.all(found.map(withName));
  return { name: host, elapsedMs, addresses, port: portFacts };
}

function aboutAddress(address: string): AddressFacts {
  const { name, reach, source } = kindOfAddress(address);
  return { address, family: familyOf(address) === 4 ? "IPv4" : "IPv6", kind: name, reach, source };
}

async function withName(address: string): Promise<AddressFacts> {
  return { ...aboutAddress(address), reverseName: await reverseName(address) };
}

async function aboutPort(port: number): Promise<PortFacts> {
  const { name, about, source } = kindOfPort(port);
  return { port, kind: name, about, source, services: await servicesOf(port) };
}

async function show(facts: Facts, json: boolean, { stdout }: Channels): Promise<void> {
  const columns = Deno.stdout.isTerminal() ? displayOf(Deno.stdout).columns : Infinity;
  const lines = json ? eventsOf(facts).map(eventLine) : textOf(facts, columns);
  for (const line of lines) stdout.line(line);
  await stdout.flush();
}

/** The addresses, each with the name that it belongs to, and the port. */
function eventsOf({ hostName, name = hostName, elapsedMs, addresses, port }: Facts): Event[] {
  return [
    ...addresses.map((address): Event => ({ event: "address", name, ...address, elapsedMs })),
    ...(port === undefined ? [] : [{ event: "port", ...port } as const]),
  ];
}

/** Lines for people: prose is wrapped, and a table that is too wide becomes a list. */
function textOf(
  { hostName, name, elapsedMs, addresses, port }: Facts,
  columns: number,
): string[] {
  const lines: string[] = [];
  if (hostName !== undefined) lines.push(`This host is called ${visible(hostName)}.`, "");
  if (name !== undefined) {
    const count = addresses.length === 1 ? "1 address" : `${addresses.length} addresses`;
    lines.push(`${visible(name)} stands for ${count} (resolved in ${elapsedMs} ms):`, "");
  }
  if (addresses.length > 0) lines.push(...tableOf(addresses, hostName !== undefined, columns));
  if (port !== undefined) {
    if (addresses.length > 0) lines.push("");
    lines.push(`Port ${port.port} is ${port.kind}: ${port.about} (${port.source}).`);
    for (const { name, protocols } of port.services) {
      lines.push(`This system calls it ${visible(name)} (${protocols.join(", ")}).`);
    }
  }
  return lines.flatMap((line) => widthOf(line) > columns ? wrap(line, columns) : [line]);
}

function tableOf(
  addresses: readonly AddressFacts[],
  local: boolean,
  columns: number,
): string[] {
  const head = local
    ? ["interface", "address", "family", "kind", "reached from"]
    : ["address", "family", "kind", "reached from", "source"];
  const rows = addresses.map((row) => {
    const common = [row.address, row.family, row.kind, row.reach];
    return local ? [row.interface ?? "", ...common] : [...common, row.source];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const table = [head, ...rows].map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
  const names = addresses.flatMap(({ address, reverseName }) =>
    reverseName === undefined ? [] : [`${address} is called ${visible(reverseName)}.`]
  );
  const isWide = table.some((line) => line.length > columns);
  const list = rows.flatMap((row) =>
    row.map((cell, column) => `${head[column]}: ${cell}`).concat("")
  );
  const shown = isWide ? list.slice(0, -1) : table;
  return names.length === 0 ? shown : [...shown, "", ...names];
}
