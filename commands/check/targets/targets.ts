import { misuse } from "../../../cli/errors/failure.ts";
import { NEEDS_ZONE } from "../../../cli/errors/words.ts";
import { suggest } from "../../../cli/arguments/suggest.ts";
import { parseTarget, type Target, type UnixTarget } from "../../../cli/arguments/target.ts";
import { canonicalAddress, isLinkLocalWithoutZone } from "../../../protocol/addresses.ts";
import type { Client } from "../../../clients/client.ts";
import type { Challenge, TalkQuestion } from "../questions/challenge.ts";
import type { CustomQuestion } from "../questions/custom.ts";
import { DEFAULT_STATUS, httpChallenge, type HttpRequest } from "../questions/http.ts";
import type { TlsOptions } from "../probe/tls.ts";
import { type Verdict, verdicts } from "../probe/verdict.ts";

/** The verdict that a target should get; `blocked` is any verdict of a blocked path. */
export type ExpectedVerdict = Exclude<Verdict, "error"> | "blocked";

/** The service to ask if a target names none. */
const DEFAULT_SERVICE = "calc";
/** The service that stands for any service: only the handshake is tried. */
export const OPEN = "open";

/** Stands for the port in a target. */
export const PORT = "{port}";

/** Whether a target's port is in a file; elsewhere in it, as in a path, the word means itself. */
export function isInFile(target: string): boolean {
  return target.includes(`:${PORT}`);
}

/** A target with its expected verdict. */
export interface Expectation {
  /** As typed: `dropped=web:5432`. */
  readonly text: string;
  readonly target: Target;
  readonly expect: ExpectedVerdict;
  /** The service to ask; `undefined` to ask the user's own question. */
  readonly service: string | undefined;
  /** The user's own question, if that is asked. */
  readonly question?: CustomQuestion | TalkQuestion | undefined;
  /** How the connection must be secured, if it must be. */
  readonly tls?: TlsOptions | undefined;
  /** What is asked over HTTP. */
  readonly http?: HttpRequest | undefined;
}

/** How to read a target. */
export interface ExpectOptions {
  /** Names of the services that can be asked, except `open`. */
  readonly services: readonly string[];
  /** What a target without a service is asked. @default {calc's question} */
  readonly question?: CustomQuestion | TalkQuestion | undefined;
  /** What a web server's answer must be. @default {a status from 200 to 399} */
  readonly answer?: Omit<HttpRequest, "path"> | undefined;
  /** What its certificate must be. */
  readonly certificate?: Pick<TlsOptions, "ca" | "days"> | undefined;
  /** Whether only addresses of a family count. @default {both} */
  readonly family?: "IPv4" | "IPv6" | undefined;
  /** Whether a file says what `{port}` is. @default {false} */
  readonly hasPortFile?: boolean;
  /** Whether an ok may be `slow`. */
  readonly canBeSlow: boolean;
}

/**
 * Reads `[EXPECT=]TARGET`.
 *
 * @throws {Failure} of kind `USAGE`, including for a target that can never be as expected.
 */
export function parseExpectation(text: string, options: ExpectOptions): Expectation {
  const [, prefix, rest = text] = /^([a-z-]*)=(.*)$/is.exec(text) ?? [];
  const expect = prefix === undefined ? "ok" : readVerdict(prefix, text);
  const services = [...options.services, OPEN];
  const { target, service, ...security } = parseAsked(rest, services, options);
  const { question } = options;
  const fallback = expect === "open" ? OPEN : question === undefined ? DEFAULT_SERVICE : undefined;
  const asked = service ?? fallback;
  const expected = {
    text,
    target,
    expect,
    service: asked,
    ...asked === undefined && { question },
    ...security,
  };
  const why = impossible(expected, options);
  if (why !== undefined) throw misuse(`'${text}' can't be checked: ${why}`);
  return expected;
}

/** The schemes of check's own, with the ports that HTTP has by default. */
const ownSchemes = new Map([["tls", undefined], ["http", 80], ["https", 443]]);

/** What a target's scheme says besides where it is. */
type Asked = Pick<Expectation, "target" | "service" | "tls" | "http">;

/** Reads a target with its scheme: those of {@linkcode parseTarget}, tls, http and https. */
function parseAsked(text: string, services: readonly string[], options: ExpectOptions): Asked {
  const [, scheme = "", path = ""] = /^([a-z]+):\/\/[^/?#]*([^#]*)/i.exec(text) ?? [];
  const { certificate, answer } = options;
  refuseMisspelt(text);
  const target = parsePlaced(text, services, options);
  if (target.protocol === "unix") return splitPath(target, services);
  const { service } = target;
  const tls = { host: asciiName(target.host), ...certificate };
  const http = { status: DEFAULT_STATUS, ...answer, path: pathOf(path) };
  switch (scheme.toLowerCase()) {
    case "tls":
      return { target, service, tls };
    case "http":
      return { target, service: "http", http };
    case "https":
      return { target, service: "http", http, tls: { ...tls, protocols: ["http/1.1"] } };
    default:
      return { target, service };
  }
}

/** The schemes that a target may have. */
const schemes = ["tcp", "udp", ...ownSchemes.keys()];

/** @throws {Failure} for `http:/web` and `htp://web`, whose hint shows the scheme that was meant. */
function refuseMisspelt(text: string): void {
  const [, scheme, slashes] = /^([a-z]+):(\/+)[^/]/i.exec(text) ?? [];
  if (scheme === undefined || slashes === "//" && schemes.includes(scheme.toLowerCase())) return;
  const hint = suggest(scheme, schemes)?.replace("?", "://?");
  if (hint === undefined) return;
  const message = `'${text}' is not a target: '${scheme}:${slashes}' is not a scheme`;
  throw misuse(message, { hint });
}

/** The path and query of a request, with what can't stand in one encoded. */
function pathOf(typed: string): string {
  const path = typed.replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent);
  return path.startsWith("/") ? path : `/${path}`;
}

/** Reads a target, whose port may be in a file. */
function parsePlaced(
  text: string,
  services: readonly string[],
  { hasPortFile = false }: ExpectOptions,
): Target {
  if (hasPortFile || !isInFile(text)) {
    return parseTarget(text, { services, schemes: ownSchemes, unknownPort: PORT });
  }
  throw misuse(`'${text}' can't be checked: no file says what ${PORT} is`, {
    hint: "--port-file FILE names the file that a server's --port-file writes",
  });
}

/** Splits `unix:PATH/SERVICE`, unless PATH is a folder: then the socket is called like a service. */
function splitPath(
  target: UnixTarget,
  services: readonly string[],
): { readonly target: UnixTarget; readonly service: string | undefined } {
  const [, path = "", service = ""] = /^(.*[^/])\/([a-z]+)$/.exec(target.path) ?? [];
  if (!services.includes(service) || isFolder(path)) return { target, service: undefined };
  return { target: { ...target, path }, service };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function readVerdict(prefix: string, text: string): ExpectedVerdict {
  const known: readonly string[] = [...verdicts.filter((name) => name !== "error"), "blocked"];
  if (known.includes(prefix)) return prefix as ExpectedVerdict;
  if (prefix === "error") {
    throw misuse(`'${text}' can't be checked: an error is never as expected`, {
      hint: `what can be expected: ${known.join(", ")}`,
    });
  }
  throw misuse(`'${prefix}=' is not an expectation: received '${text}'`, {
    hint: suggest(prefix, known) ?? `what can be expected: ${known.join(", ")}`,
  });
}

/** Why a target can never be as expected: the mistake would otherwise look like a finding. */
function impossible(
  { target, expect, service, question, http }: Expectation,
  options: ExpectOptions,
) {
  if (target.protocol === "udp" && question?.form === "text") {
    if (question.send === undefined) return "over UDP nothing comes without a request: add --send";
    if (/\{end\}/.test(question.send + question.reply)) return "UDP has no {end}";
  }
  if (service === OPEN && target.protocol === "udp") {
    return "UDP has no handshake; leave out /open to ask a calc service";
  }
  if (expect === "open" && service !== OPEN) {
    const what = http === undefined ? `/${service}` : "a web server";
    return `${what} is asked, so it is never 'open'`;
  }
  if (expect === "slow" && !options.canBeSlow) return "nothing is slow without --slower-than D";
  if (expect === "dns" && !hasName(target)) return "there is no name to resolve";
  const isOther = options.family === "IPv4" ? isV6 : isV4;
  if (options.family !== undefined && target.protocol !== "unix" && isOther(target.host)) {
    return `only ${options.family} addresses are checked`;
  }
  if (target.protocol !== "unix" && isLinkLocalWithoutZone(target.host)) {
    return `fe80:: is on every link: ${NEEDS_ZONE}`;
  }
  return undefined;
}

const isV4 = (host: string): boolean => canonicalAddress(host)?.includes(".") ?? false;
const isV6 = (host: string): boolean => canonicalAddress(host)?.includes(":") ?? false;

function hasName(target: Target): boolean {
  return target.protocol !== "unix" && canonicalAddress(target.host) === undefined;
}

/** The clients that know what to ask, by the name of their service. */
export type Clients = ReadonlyMap<string, Client>;

/**
 * Makes a new question for a probe; `undefined` if the probe only connects.
 *
 * @param size Bytes of the request, its line end included. @default {as few as it needs}
 */
export function challengeFor(
  expected: Expectation,
  clients: Clients,
  size?: number,
): Challenge | TalkQuestion | undefined {
  const { service, target, question, http } = expected;
  if (service === OPEN) return undefined;
  if (http !== undefined) return httpChallenge(http, hostHeader(expected));
  if (service === undefined) {
    if (question === undefined) throw new TypeError(`Cannot ask ${target.text} without a question`);
    return question.form === "talk" ? question : question.challenge();
  }
  const client = clients.get(service);
  if (client === undefined) throw new TypeError(`Cannot ask an unknown service ${service}`);
  return client.challenge(target.protocol, size === undefined ? undefined : size - 1);
}

/** Bytes of the smallest request to a target, its line end included. */
export function leastSize(expected: Expectation, clients: Clients): number {
  const challenge = challengeFor(expected, clients, 1);
  return challenge?.form === "talk" ? 0 : challenge?.request?.length ?? 0;
}

/** A name as certificates and headers have it: `xn--mnchen-3ya.de` (RFC 5890). */
function asciiName(host: string): string {
  return /[^\x20-\x7e]/.test(host) ? URL.parse(`http://${host}`)?.hostname ?? host : host;
}

/** The Host header: with the port, unless that is the scheme's own. */
function hostHeader({ target, tls }: Expectation): string {
  if (target.protocol === "unix") return "localhost";
  const isV6 = target.host.includes(":");
  const host = isV6 ? `[${target.host.split("%")[0]}]` : asciiName(target.host);
  const own = ownSchemes.get(tls === undefined ? "http" : "https");
  return target.port === own ? host : `${host}:${target.port}`;
}
