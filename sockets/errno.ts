/** The ways in which a socket fails, whatever the errno. */
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
  EACCES: "UNREACHABLE", // administratively prohibited over IPv6, `ip route add prohibit`, broadcast
  EADDRNOTAVAIL: "UNREACHABLE",
  EAFNOSUPPORT: "UNREACHABLE",
  EHOSTDOWN: "UNREACHABLE",
  EHOSTUNREACH: "UNREACHABLE",
  EINVAL: "UNREACHABLE", // `ip route add blackhole`, a link-local address without its zone
  ENETDOWN: "UNREACHABLE",
  ENETUNREACH: "UNREACHABLE",
  ENONET: "UNREACHABLE",
  ENOPROTOOPT: "UNREACHABLE", // ICMP: the host does not speak the protocol
  EOPNOTSUPP: "UNREACHABLE",
  EPERM: "UNREACHABLE", // this host's own firewall
  EPROTO: "UNREACHABLE",
};

/** Errnos that concern a file, not a network, when they come from a Unix socket's path. */
const pathKinds: Readonly<Record<string, SocketFailureKind>> = {
  EACCES: "ERROR",
  EINVAL: "ERROR",
  EPERM: "ERROR",
};

/** What an error of a socket means; `undefined` for one of no known kind. */
export function kindOf(error: unknown): SocketFailureKind | undefined {
  if (error instanceof DOMException && error.name === "TimeoutError") return "TIMEOUT";
  return kinds[errnoOf(error) ?? ""];
}

/** What an error of a Unix socket means; `undefined` for one of no known kind. */
export function kindOfPath(error: unknown): SocketFailureKind | undefined {
  return pathKinds[errnoOf(error) ?? ""] ?? kindOf(error);
}

/**
 * The errno name of a system error (`ECONNREFUSED`), if it carries one.
 *
 * Deno sets it as `code` on its own errors and on those of `node:` modules;
 * the class alone does not distinguish all of them (`EMFILE` is a plain Error).
 */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The errno name of an error, or its class name if it has none. */
export function errorName(error: unknown): string {
  return errnoOf(error) ?? (error instanceof Error ? error.name : String(error));
}

/** Why a system call failed, in the system's words: `no space left on device`. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return "netdemo has no permission to touch it";
  // Deno adds the errno's number, and the operation with a path that may not be the user's.
  const [, reason] = /^(.+?)\.? \(os error \d+\)/s.exec(messageOf(error)) ?? [];
  if (reason === undefined) return messageOf(error);
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}

/** The message of an error of unknown type. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
