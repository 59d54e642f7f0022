import {
  formatEndpoint,
  type InternetEndpoint,
  isLinkLocalWithoutZone,
} from "../../protocol/addresses.ts";
import { errnoOf, reasonOf } from "../../sockets/errno.ts";
import type { ListenFacts } from "../../sockets/failure.ts";
import { isLoopback } from "../../sockets/host_addresses.ts";
import type { SystemWords } from "../system_words.ts";
import { type FlagNames, NEEDS_ZONE, NO_LOOPBACK, unknownZone, type Words } from "./words.ts";

interface Explanation {
  readonly why: string;
  readonly hint: string;
}

/** Returns the message and the hint for a server that can't listen on its address. */
export function listenWords(
  facts: ListenFacts,
  cause: unknown,
  names: FlagNames,
  tools: SystemWords,
): Words {
  const { endpoint } = facts;
  const { why, hint } = explainProblem(facts) ??
    ("path" in endpoint ? explainPath(cause) : explainAddress(cause, endpoint, names, tools));
  return { message: `cannot listen on ${formatEndpoint(endpoint)}: ${why}`, hint };
}

function explainProblem({ endpoint, problem, most }: ListenFacts): Explanation | undefined {
  switch (problem) {
    case undefined:
      return undefined;
    case "not a socket":
      return {
        why: "the file isn't a socket",
        hint: "choose another path; the file was not touched",
      };
    case "in use":
      return {
        why: "another server is listening there",
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

function explainAddress(
  cause: unknown,
  { hostname, port }: InternetEndpoint,
  names: FlagNames,
  { whoListens, keptPorts, moreFiles }: SystemWords,
): Explanation {
  switch (errnoOf(cause)) {
    case "EADDRINUSE":
      return {
        why: "the port is in use",
        hint: `stop the program listening there, which ${whoListens(port)} shows; ` +
          "if it shows none, a closed connection holds the port for a minute; " +
          `${names.port(0)} takes a free one`,
      };
    case "EACCES":
    case "EPERM":
      if (keptPorts !== undefined) {
        return {
          why: "the system keeps the port, or a program has it to itself",
          hint: `choose another port; ${names.port(0)} takes any free one, and ` +
            `${keptPorts} lists those that the system keeps`,
        };
      }
      return {
        why: port < 1024 ? "ports below 1024 need privileges" : "it is not permitted",
        hint: `choose a port from 1024 up, for example ${
          names.port(port < 1024 ? 4000 + port : 4040)
        }`,
      };
    case "EMFILE":
    case "ENFILE":
      return {
        why: "too many files are open",
        hint: moreFiles,
      };
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return {
        why: "this host has no such address",
        hint: isLoopback(hostname) ? NO_LOOPBACK : "choose an address of this host" +
          (names.host === undefined ? "" : `, or leave ${names.host} out`),
      };
    default:
      return isLinkLocalWithoutZone(hostname)
        ? {
          why: "a link-local address needs an interface",
          hint: NEEDS_ZONE,
        }
        : unknownZone(hostname, cause) ??
          { why: reasonOf(cause), hint: "choose another address or port" };
  }
}

function explainPath(cause: unknown): Explanation {
  switch (errnoOf(cause)) {
    case "ENOENT":
      return {
        why: "the folder does not exist",
        hint: "create the folder, or choose another path",
      };
    case "EACCES":
    case "EPERM":
      return { why: "it is not permitted", hint: "choose a folder that you can write to" };
    default:
      return { why: reasonOf(cause), hint: "choose another path" };
  }
}
