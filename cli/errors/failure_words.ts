import {
  type Endpoint,
  formatEndpoint,
  formatEndpoints,
  isLinkLocalWithoutZone,
} from "../../protocol/addresses.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { errnoOf, reasonOf, type SocketFailureKind } from "../../sockets/errno.ts";
import type {
  Attempt,
  ConnectFacts,
  ReplyFacts,
  ResolveFacts,
  SendFacts,
  SocketFailure,
} from "../../sockets/failure.ts";
import { isLoopback } from "../../sockets/host_addresses.ts";
import { system } from "../../sockets/system.ts";
import { counted } from "../../text/counted.ts";
import { type SystemWords, systemWords } from "../system_words.ts";
import { listenWords } from "./listen_words.ts";
import {
  type FlagNames,
  NEEDS_ZONE,
  NO_LOOPBACK,
  unknownZone,
  usualFlags,
  wildcardHint,
  type Words,
} from "./words.ts";

/** What to do next, for kinds of failure with the same hint in every phase. */
const hints: Readonly<Partial<Record<SocketFailureKind, string>>> = {
  DNS: "check the spelling, or give an IP address",
  UNREACHABLE: "this host has no route to that address: check the network and the address",
  RESET:
    "the peer may have crashed, may be another kind of server, or a firewall cut the connection",
  CLOSED: "the server may have stopped, may be full, or may be another kind of server",
  TIMEOUT: "a firewall may drop packets, or no host has that address; --timeout 30s waits longer",
};

/** Hints for `UNREACHABLE`, by errno. */
const unreachableHints: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: "this host has no address to connect from: an interface is down or lacks IPv6, " +
    "or all ports for clients are in use",
  EAFNOSUPPORT: "this host has no IPv6: use an IPv4 address",
  ENETDOWN: "the network of this host is down",
  EACCES: "a firewall or a routing rule prohibits it",
  EPERM: "this host's own firewall prohibits it",
  EINVAL: "a routing rule of this host discards it",
  EHOSTUNREACH: "no host answers at that address, or a router prohibits it",
  EHOSTDOWN: "no host answers at that address",
  ENOPROTOOPT: "the host is there, but does not accept this protocol",
};

/** The lesson's own server comes first: it serves one client after another. */
const SILENT_PEER = "the server may be busy with another client, or be another kind of server; " +
  "--timeout 30s waits longer";
const SLOW_PEER =
  "the server may be slow, or be another kind of server; --timeout 30s waits longer";
const LATE_REFUSAL = "it may be refused, which Windows reports after 2 s: leave out --timeout";
const WRONG_PEER = "the peer may be another kind of server: check its host and port";

/** Returns the message and the hint for a socket failure. */
export function wordsOf(
  failure: SocketFailure,
  names: FlagNames = usualFlags,
  tools = systemWords(),
): Words {
  const { message, hint = hints[failure.kind] } = wordsOfPhase(failure, names, tools);
  return { message, hint };
}

function wordsOfPhase(
  { kind, facts, cause }: SocketFailure,
  names: FlagNames,
  tools: SystemWords,
): Words {
  switch (facts.phase) {
    case "resolve":
      return resolveWords(facts, cause);
    case "listen":
      return listenWords(facts, cause, names, tools);
    case "connect":
      return connectWords(kind, facts, cause, tools);
    case "send":
      return sendWords(facts, cause, tools);
    case "reply":
      return replyWords(kind, facts, cause);
  }
}

function resolveWords({ host, timeoutMs }: ResolveFacts, cause: unknown): Words {
  const hint = "the name server does not answer: check the network, or give an IP address";
  if (timeoutMs !== undefined) {
    return { message: `cannot resolve ${host} within ${formatDuration(timeoutMs)}`, hint };
  }
  const code = errnoOf(cause);
  if (code === "EAI_AGAIN") {
    return { message: `no answer from the name server for '${host}'`, hint };
  }
  const why = code === undefined || code === "ENOTFOUND" ? "" : ` (${code})`;
  return { message: `the host name '${host}' does not resolve${why}` };
}

function connectWords(
  kind: SocketFailureKind,
  facts: ConnectFacts,
  cause: unknown,
  tools: SystemWords,
): Words {
  const { attempts, protocol, timeoutMs, problem } = facts;
  const endpoints = attempts.map(({ endpoint }) => endpoint);
  const message = `cannot connect to ${formatEndpoints(endpoints, protocol)}`;
  if (problem !== undefined) return pathWords(message, problem);
  if (attempts.some((attempt) => attempt.kind !== kind)) {
    const ends = attempts.map((attempt) => endOf(attempt, timeoutMs)).join(", ");
    return { message: `cannot connect: ${ends} (${protocol})` };
  }
  if (kind === "TIMEOUT") {
    const within = `${message} within ${formatDuration(timeoutMs)}`;
    return { message: within, hint: timeoutMs < system.refusalMs ? LATE_REFUSAL : undefined };
  }
  if (kind === "ERROR") {
    const [endpoint] = endpoints;
    const zone = endpoint !== undefined && "hostname" in endpoint
      ? unknownZone(endpoint.hostname, cause)
      : undefined;
    return { message: `${message}: ${zone?.why ?? reasonOf(cause)}`, hint: zone?.hint };
  }
  if (kind !== "UNREACHABLE") return { message };
  return { message, hint: unreachableHint(endpoints, cause, tools) };
}

/** Says how connecting to one of several addresses ended. */
function endOf({ endpoint, kind, error }: Attempt, timeoutMs: number): string {
  const name = formatEndpoint(endpoint);
  switch (kind) {
    case "REFUSED":
      return `${name} refused`;
    case "RESET":
      return `${name} reset the connection`;
    case "UNREACHABLE":
      return `${name} is unreachable`;
    case "TIMEOUT":
      return `${name} did not answer within ${formatDuration(timeoutMs)}`;
    default:
      return `${name}: ${reasonOf(error)}`;
  }
}

function unreachableHint(
  endpoints: readonly Endpoint[],
  cause: unknown,
  { localPrivacy }: SystemWords,
): string | undefined {
  for (const endpoint of endpoints) {
    const hint = "hostname" in endpoint ? wildcardHint(endpoint.hostname) : undefined;
    if (hint !== undefined) return hint;
  }
  const zoneless = endpoints.find((endpoint) =>
    "hostname" in endpoint && isLinkLocalWithoutZone(endpoint.hostname)
  );
  if (zoneless !== undefined) return NEEDS_ZONE;
  const errno = errnoOf(cause) ?? "";
  const isHere = endpoints.every((one) => "hostname" in one && isLoopback(one.hostname));
  if (isHere && errno === "ENETUNREACH") return NO_LOOPBACK;
  const hint = unreachableHints[errno];
  return errno === "EHOSTUNREACH" && localPrivacy !== undefined ? `${hint}; ${localPrivacy}` : hint;
}

function pathWords(message: string, problem: NonNullable<ConnectFacts["problem"]>): Words {
  switch (problem) {
    case "nothing":
      return { message: `${message}: the socket does not exist` };
    case "not a socket":
      return {
        message: `${message}: the file isn't a socket`,
        hint: "give the same path as the server's --unix",
      };
    case "path too long":
      return {
        message: `${message}: the path is too long for a socket`,
        hint: "choose a shorter path, for the server too",
      };
  }
}

function sendWords(
  { endpoint, protocol }: SendFacts,
  cause: unknown,
  tools: SystemWords,
): Words {
  const zone = "hostname" in endpoint ? unknownZone(endpoint.hostname, cause) : undefined;
  const why = zone?.why ?? reasonOf(cause);
  const message = `cannot send to ${formatEndpoints([endpoint], protocol)}: ${why}`;
  if (zone !== undefined) return { message, hint: zone.hint };
  if (errnoOf(cause) !== "EMSGSIZE") {
    return { message, hint: unreachableHint([endpoint], cause, tools) };
  }
  const most = system.maxDatagram - 1; // less the line end
  const hint = `a request of at most ${most} bytes fits in a datagram; ` +
    "without --udp a request may be longer";
  return { message, hint };
}

function replyWords(kind: SocketFailureKind, facts: ReplyFacts, cause: unknown): Words {
  const { received, timeoutMs, protocol } = facts;
  const peer = formatEndpoints([facts.endpoint], protocol);
  if (facts.problem === "too long") {
    return {
      message: `${peer} sent more than ${received} bytes, and no whole reply`,
      hint: WRONG_PEER,
    };
  }
  if (facts.problem === "not text") {
    return { message: `the reply of ${peer} is not UTF-8 text`, hint: WRONG_PEER };
  }
  if (kind === "TIMEOUT") {
    const within = `from ${peer} within ${formatDuration(timeoutMs)}`;
    if (received > 0) {
      return {
        message: `no whole reply ${within}: ${counted(received, "byte")} without a line end`,
        hint: SLOW_PEER,
      };
    }
    const message = `no reply ${within}`;
    if (protocol !== "udp") return { message, hint: SILENT_PEER };
    const hint = "UDP does not report whether nothing is listening or a datagram was lost: " +
      "check that the server is running, with --udp";
    return { message, hint };
  }
  if (kind === "RESET") return { message: `${peer} reset the connection before it replied` };
  if (cause !== undefined) {
    return { message: `the connection to ${peer} failed: ${reasonOf(cause)}` };
  }
  const what = received > 0 ? "before the reply was whole" : "without a reply";
  return { message: `${peer} closed the connection ${what}` };
}
