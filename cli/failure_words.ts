import { formatEndpoint, formatEndpoints } from "../protocol/addresses.ts";
import { MAX_DATAGRAM } from "../protocol/datagram.ts";
import { formatDuration } from "../protocol/duration.ts";
import { errnoOf, messageOf, type SocketFailureKind } from "../sockets/errno.ts";
import type { ListenFacts, ReplyFacts, SocketFacts, SocketFailure } from "../sockets/failure.ts";

/** What a user reads of a failure. */
export interface Words {
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What to do next, for those kinds of failure that are the same wherever they happen. */
const hints: Readonly<Partial<Record<SocketFailureKind, string>>> = {
  DNS: "check the spelling, or give an IP address",
  UNREACHABLE: "this host has no route to that address: check the network and --host",
  RESET: "the peer may have crashed, may not be a netdemo server, or a firewall cut the connection",
  CLOSED: "the server may have stopped or met its limits: look at what it printed",
  TIMEOUT:
    "a firewall may drop packets, or the peer is not such a server; --timeout 30s waits longer",
};

const WRONG_PEER = "the peer may be another kind of server: check --host and --port";

/** The message and the hint for a failure of a socket. */
export function wordsOf({ kind, facts, cause }: SocketFailure): Words {
  const { message, hint = hints[kind] } = wordsOfPhase(kind, facts, cause);
  return { message, hint };
}

function wordsOfPhase(kind: SocketFailureKind, facts: SocketFacts, cause: unknown): Words {
  switch (facts.phase) {
    case "resolve":
      return resolveWords(facts.host, facts.timeoutMs, cause);
    case "listen":
      return listenWords(facts, cause);
    case "connect": {
      const message = `cannot connect to ${formatEndpoints(facts.endpoints, facts.protocol)}`;
      if (kind === "TIMEOUT") {
        return { message: `${message} within ${formatDuration(facts.timeoutMs)}` };
      }
      return { message: kind === "ERROR" ? `${message}: ${messageOf(cause)}` : message };
    }
    case "send":
      return {
        message: `cannot send to ${formatEndpoints([facts.endpoint], facts.protocol)}: ${
          messageOf(cause)
        }`,
        hint:
          `a datagram holds at most ${MAX_DATAGRAM} bytes; without --udp there is no such limit`,
      };
    case "reply":
      return replyWords(kind, facts, cause);
  }
}

function resolveWords(host: string, timeoutMs: number | undefined, cause: unknown): Words {
  if (timeoutMs !== undefined) {
    return {
      message: `cannot resolve ${host} within ${formatDuration(timeoutMs)}`,
      hint: "the name server does not answer: check the network, or give an IP address",
    };
  }
  const code = errnoOf(cause);
  const why = code === undefined || code === "ENOTFOUND" ? "" : ` (${code})`;
  return { message: `the host name '${host}' does not resolve${why}` };
}

function replyWords(kind: SocketFailureKind, facts: ReplyFacts, cause: unknown): Words {
  const { received, timeoutMs, protocol } = facts;
  const peer = formatEndpoints([facts.endpoint], protocol);
  if (facts.problem === "too long") {
    return {
      message: `${peer} sent more than ${received} bytes without a line end`,
      hint: WRONG_PEER,
    };
  }
  if (facts.problem === "not text") {
    return { message: `the reply of ${peer} is not UTF-8 text`, hint: WRONG_PEER };
  }
  if (kind === "TIMEOUT") {
    const message = `no reply from ${peer} within ${formatDuration(timeoutMs)}`;
    if (protocol !== "udp") return { message };
    const hint = "UDP does not report whether nobody listens there or a datagram was lost: " +
      "check the server, then try again";
    return { message, hint };
  }
  if (kind === "RESET") return { message: `${peer} reset the connection before it replied` };
  if (cause !== undefined) {
    return { message: `the connection to ${peer} failed: ${messageOf(cause)}` };
  }
  const what = received > 0 ? "before the reply was whole" : "without a reply";
  return { message: `${peer} closed the connection ${what}` };
}

interface Explanation {
  readonly why: string;
  readonly hint: string;
}

function listenWords({ endpoint, problem, most }: ListenFacts, cause: unknown): Words {
  const { why, hint } = problem !== undefined
    ? explainProblem(endpoint, problem, most)
    : "path" in endpoint
    ? explainPath(cause)
    : explainAddress(cause, endpoint.hostname, endpoint.port);
  return { message: `cannot listen on ${formatEndpoint(endpoint)}: ${why}`, hint };
}

function explainProblem(
  endpoint: ListenFacts["endpoint"],
  problem: NonNullable<ListenFacts["problem"]>,
  most: number | undefined,
): Explanation {
  switch (problem) {
    case "not a socket":
      return {
        why: "there is a file that isn't a socket",
        hint: "choose another path; the file was not touched",
      };
    case "in use":
      return {
        why: "another server listens there",
        hint: "stop that server, or choose another path",
      };
    case "path too long": {
      const bytes = new TextEncoder().encode(formatEndpoint(endpoint)).length;
      return {
        why: `the path has ${bytes} bytes, at most ${most} fit`,
        hint: "choose a shorter path, for example in /tmp",
      };
    }
  }
}

function explainAddress(cause: unknown, hostname: string, port: number): Explanation {
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
        : { why: messageOf(cause), hint: "choose another --host or --port" };
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
      return { why: messageOf(cause), hint: "choose another path" };
  }
}

/** RFC 4007, section 11: `fe80::1` is on every link; only `fe80::1%eth0` says which. */
function isLinkLocalWithoutZone(hostname: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(hostname) && !hostname.includes("%");
}
