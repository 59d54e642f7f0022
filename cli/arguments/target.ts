import { canonicalAddress } from "../../protocol/addresses.ts";
import { system } from "../../sockets/system.ts";
import { type Failure, misuse } from "../errors/failure.ts";
import { isHostName, problemOfHost } from "./host.ts";
import { suggest } from "./suggest.ts";

/** The server that a command addresses, over TCP or UDP. */
export interface InternetTarget {
  /** As it was typed. */
  readonly text: string;
  readonly protocol: "tcp" | "udp";
  /** A host name, or an IP address in its canonical form, without brackets. */
  readonly host: string;
  /** 1-65535. */
  readonly port: number;
  /** The name after the slash, if any. */
  readonly service?: string | undefined;
}

/** The server that a command addresses by the path of its Unix socket. */
export interface UnixTarget {
  readonly text: string;
  readonly protocol: "unix";
  readonly path: string;
  readonly service?: undefined;
}

/** The server that a command addresses: `[tcp://|udp://]HOST:PORT[/SERVICE]` or `unix:PATH`. */
export type Target = InternetTarget | UnixTarget;

/** What a target may name. */
interface TargetOptions {
  /** Names allowed after the slash. @default {none} */
  readonly services?: readonly string[];
  /**
   * More schemes over TCP. One that has a port by default is a URL's: a path may follow.
   *
   * @default {none}
   */
  readonly schemes?: ReadonlyMap<string, number | undefined>;
  /** What may stand for a port that is not known yet, and is 0. @default {nothing} */
  readonly unknownPort?: string | undefined;
}

/** Default ports of other schemes, so that a hint can show the whole target. */
const portsOfSchemes: Readonly<Record<string, number>> = {
  ftp: 21,
  http: 80,
  https: 443,
  mysql: 3306,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  ssh: 22,
  ws: 80,
  wss: 443,
};

/**
 * Reads a target. `:4040` is this host; `[::1]:4040` is IPv6.
 *
 * @throws {Failure} of kind `USAGE` whose hint shows the right form.
 */
export function parseTarget(text: string, options: TargetOptions = {}): Target {
  const { services = [], schemes = new Map() } = options;
  const path = /^unix:(.*)$/is.exec(text)?.[1];
  if (path !== undefined) return { text, protocol: "unix", path: unixPath(path, text) };

  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  const name = scheme?.toLowerCase() ?? "tcp";
  if (name !== "tcp" && name !== "udp" && !schemes.has(name)) throw otherScheme(text, name, rest);
  const place = { text, prefix: scheme === undefined ? "" : `${name}://`, ...options };
  const protocol = name === "udp" ? "udp" : "tcp";

  const usualPort = schemes.get(name);
  if (usualPort !== undefined) {
    const [authority = ""] = rest.split(/[/?#]/, 1);
    const isBare = authority !== "" && !/:[^\]:]*$/.test(authority);
    return { text, protocol, ...hostAndPort(authority + (isBare ? `:${usualPort}` : ""), place) };
  }
  const slash = rest.indexOf("/");
  const [authority, service] = slash === -1
    ? [rest]
    : [rest.slice(0, slash), rest.slice(slash + 1)];
  return {
    text,
    protocol,
    ...hostAndPort(authority, place),
    service: service === undefined ? undefined : knownService(service, text, services),
  };
}

/**
 * Whether a word that may be text is meant as a target: `HOST:PORT` whose host is
 * an IP address, a name with a letter, or empty (`12:30` is text), or a word that
 * begins with `tcp://`, `udp://` or `unix:`.
 */
export function looksLikeTarget(word: string): boolean {
  if (/^(?:(?:tcp|udp):\/\/|unix:)\S/i.test(word)) return true;
  const [, host] = /^(\[[^\]\s]*\]|[^:\[\]]*):\d+$/.exec(word) ?? [];
  if (host === undefined || !(host.startsWith("[") || isHostName(host))) return false;
  return host === "" || /\p{L}/u.test(host) || canonicalAddress(host) !== undefined;
}

/** A target as it was typed, for messages about a part of it. */
interface Typed extends Pick<TargetOptions, "unknownPort"> {
  readonly text: string;
  /** Its scheme and `://`, if it has one. */
  readonly prefix: string;
}

function hostAndPort(
  authority: string,
  { text, prefix, unknownPort }: Typed,
): { readonly host: string; readonly port: number } {
  const [, typed, port] = /^(\[[^\]]*\]|[^:\[\]]*):([^:]*)$/.exec(authority) ?? [];
  if (typed === undefined || port === undefined) throw noPort(authority, text, prefix);
  const problem = problemOfHost(typed, shownWith(prefix, port));
  if (problem !== undefined) throw wrong(text, problem.why, { hint: problem.hint });
  const host = typed === "" ? "localhost" : canonicalAddress(typed) ?? typed;
  if (port === unknownPort) return { host, port: 0 };
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return { host, port: number };
  const received = port === "" ? "none" : `'${port}'`;
  throw wrong(text, `a port is a whole number from 1 to 65535: received ${received}`, {
    hint: `write a target as HOST:PORT, for example ${prefix}${typed || "localhost"}:4040`,
  });
}

/** Returns how to write a host in a target. */
function shownWith(prefix: string, port: string): (host: string) => string {
  return (host) => `${prefix}${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Guesses what a text without a port was meant as. */
function noPort(authority: string, text: string, prefix: string): Failure {
  const [why, hint] = otherForm(authority, prefix) ?? bareIpv6(authority, prefix) ??
    hostAlone(authority.split(":", 1)[0] ?? "", prefix);
  return wrong(text, why, { hint });
}

function hostAlone(host: string, prefix: string): Explanation {
  if (/^\d{1,5}$/.test(host)) {
    return ["it has no host", `a port of this host needs a colon before it: ${prefix}:${host}`];
  }
  const problem = problemOfHost(host, shownWith(prefix, "4040"));
  if (problem !== undefined) return [problem.why, problem.hint];
  return ["it has no port", `add a port: ${prefix}${host}:4040`];
}

type Explanation = readonly [why: string, hint: string];

/** A form that other tools accept. */
function otherForm(authority: string, prefix: string): Explanation | undefined {
  if (authority === "") {
    const hint = `write a target as HOST:PORT, for example ${prefix}localhost:4040, or ` +
      `${prefix}:4040 for this host`;
    return ["it has no host and no port", hint];
  }
  const [, socat, protocol = "", rest] = /^((tcp|udp)[46]?:)(.*:.*)$/i.exec(authority) ?? [];
  if (socat !== undefined) {
    return [`'${socat}' is not a protocol prefix`, `write ${protocol.toLowerCase()}://${rest}`];
  }
  const several = authority.split(",");
  if (several.length > 1 && several.every((part) => /:\d{1,5}$/.test(part))) {
    const targets = several.map((part) => prefix + part).join(" ");
    return ["it is more than one", `a space separates targets: ${targets}`];
  }
  const at = authority.lastIndexOf("@");
  if (at === -1) return undefined;
  const hint = `leave out everything before the @: ${prefix}${authority.slice(at + 1)}`;
  return ["a target has no user name", hint];
}

/** An IPv6 address without brackets, or what looks like one. */
function bareIpv6(authority: string, prefix: string): Explanation | undefined {
  const bare = authority.replace(/^\[|\]$/g, "");
  const [, head = "", tail] = /^(.*[^:]):(\d{1,5})$/.exec(bare) ?? [];
  if (canonicalAddress(bare)?.includes(":")) {
    // ::1:4040 is a valid address, but most likely meant as an address and a port.
    const [host, port] = canonicalAddress(head) === undefined ? [bare, 4040] : [head, tail];
    return ["it has no port", `an IPv6 address goes in brackets: ${prefix}[${host}]:${port}`];
  }
  if (tail === undefined) return undefined;
  const hint = `an IPv6 address goes in brackets: ${prefix}[::1]:${tail}`;
  return [`'${head}' is neither a host name nor an address`, hint];
}

/** Returns an error for `http://web` that shows what to write: `web:80`. */
function otherScheme(text: string, scheme: string, rest: string): Failure {
  const authority = rest.split(/[/?#]/, 1)[0] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1) || "localhost";
  const port = /:\d+$/.test(host) ? "" : `:${portsOfSchemes[scheme] ?? 4040}`;
  const isChecked = ["tls", "http", "https"].includes(scheme);
  const why = isChecked ? "is for check alone" : "is neither tcp:// nor udp://";
  return wrong(text, `${scheme}:// ${why}`, {
    hint: `write HOST:PORT, for example ${host}${port}, which means TCP`,
  });
}

function knownService(service: string, text: string, services: readonly string[]): string {
  if (services.includes(service)) return service;
  if (services.length === 0) {
    throw wrong(text, `nothing may follow the port: received '/${service}'`, {
      hint: `leave it out: ${text.slice(0, text.length - service.length - 1)}`,
    });
  }
  const names = services.map((name) => `/${name}`).join(", ");
  throw wrong(text, `'/${service}' is not a service`, {
    hint: suggest(service, services) ??
      `what may follow the port: ${names}; a web server is asked with http://HOST:PORT/PATH`,
  });
}

/** Reads the path of `unix:PATH`, or of `unix:///PATH` as other tools write it. */
function unixPath(path: string, text: string): string {
  if (!system.hasUnixSockets) {
    throw wrong(text, "Unix sockets are not available on Windows", {
      hint: "write HOST:PORT, for example localhost:4040",
    });
  }
  const absolute = path.replace(/^\/\/(?=\/)/, "");
  if (absolute !== "" && !absolute.startsWith("//")) return absolute;
  throw wrong(text, absolute === "" ? "it has no path" : "it is not a path", {
    hint: "write unix:PATH, for example unix:/tmp/netdemo.sock",
  });
}

function wrong(text: string, why: string, options: { readonly hint: string }): Failure {
  return misuse(`'${text}' is not a target: ${why}`, options);
}
