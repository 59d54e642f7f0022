import { errnoOf, type FailureKind } from "../protocol/failure.ts";

const kinds: Record<string, FailureKind> = {
  ECONNREFUSED: "REFUSED",
  ENOENT: "REFUSED", // no Unix socket at that path
  ENOTSOCK: "REFUSED",
  ECONNRESET: "RESET",
  ECONNABORTED: "RESET",
  EPIPE: "CLOSED",
  ETIMEDOUT: "TIMEOUT",
  EADDRNOTAVAIL: "UNREACHABLE",
  EAFNOSUPPORT: "UNREACHABLE",
  EHOSTDOWN: "UNREACHABLE",
  EHOSTUNREACH: "UNREACHABLE",
  ENETDOWN: "UNREACHABLE",
  ENETUNREACH: "UNREACHABLE",
};

/** What an error of a client's socket means to its user; `undefined` for one of no known kind. */
export function kindOf(error: unknown): FailureKind | undefined {
  if (error instanceof DOMException && error.name === "TimeoutError") return "TIMEOUT";
  return kinds[errnoOf(error) ?? ""];
}
