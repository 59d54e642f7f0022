/** The ways in which a socket fails, whichever errno says so. */
export type SocketFailureKind =
  | "DNS"
  | "REFUSED"
  | "UNREACHABLE"
  | "RESET"
  | "CLOSED"
  | "BIND"
  | "TIMEOUT"
  | "ERROR";

/** What each errno of a connection means; errnos that are not listed have no meaning of their own. */
const kinds: Readonly<Record<string, SocketFailureKind>> = {
  ECONNREFUSED: "REFUSED",
  ENOENT: "REFUSED", // no Unix socket at that path
  ENOTSOCK: "REFUSED",
  ECONNRESET: "RESET",
  ECONNABORTED: "RESET",
  ENOTCONN: "RESET", // reset before it could be used
  EPIPE: "CLOSED",
  ETIMEDOUT: "TIMEOUT",
  EADDRNOTAVAIL: "UNREACHABLE",
  EAFNOSUPPORT: "UNREACHABLE",
  EHOSTDOWN: "UNREACHABLE",
  EHOSTUNREACH: "UNREACHABLE",
  ENETDOWN: "UNREACHABLE",
  ENETUNREACH: "UNREACHABLE",
};

/**
 * Errnos with which Linux reports that the way to an Internet address is shut:
 * `ip route prohibit` and admin-prohibited over IPv6 give EACCES, a firewall of
 * this host EPERM, `ip route blackhole` EINVAL.
 */
const prohibited: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM", "EINVAL"]);

/** What an error means of a socket on its way to an Internet address; `undefined` for one of no known kind. */
export function kindOnTheWay(error: unknown): SocketFailureKind | undefined {
  return prohibited.has(errnoOf(error)) ? "UNREACHABLE" : kindOf(error);
}

/** What an error of a socket means; `undefined` for one of no known kind. */
export function kindOf(error: unknown): SocketFailureKind | undefined {
  if (error instanceof DOMException && error.name === "TimeoutError") return "TIMEOUT";
  return kinds[errnoOf(error) ?? ""];
}

/**
 * The errno name of a system error (`ECONNREFUSED`), where it carries one.
 *
 * Deno gives it as `code` on its own errors and on those of `node:` modules;
 * the class alone does not distinguish all of them (`EMFILE` is a plain Error).
 */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The errno name of an error, or what it is called where it has none. */
export function errorName(error: unknown): string {
  return errnoOf(error) ?? (error instanceof Error ? error.name : String(error));
}

/** What an error of unknown type says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
