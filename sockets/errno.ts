import { os } from "./system.ts";

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
  ECONNRESET: "RESET",
  ECONNABORTED: "RESET",
  ENETRESET: "RESET", // Windows: keep-alive found the connection gone
  ENOTCONN: "RESET", // reset before it could be used
  EDISCON: "CLOSED", // Windows: the peer has shut down
  EPIPE: "CLOSED",
  EPROTOTYPE: "CLOSED", // macOS: written to while the peer was closing
  ETIMEDOUT: "TIMEOUT",
  EAI_AGAIN: "DNS",
  ENOENT: "DNS", // Windows: an address with a zone that this host does not have
  ENOTFOUND: "DNS",
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
  ENOENT: "REFUSED", // no socket at that path
  ENOTSOCK: "REFUSED",
  EPERM: "ERROR",
};

/**
 * The names of error numbers for which the runtime has no name, or a misleading one. The texts of
 * such errors are in the user's language on Windows, so only their numbers tell.
 *
 * Sources: errno(3) of Linux and macOS; "Windows Sockets Error Codes" and "System Error Codes".
 */
const names: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  linux: { 64: "ENONET", 71: "EPROTO", 92: "ENOPROTOOPT", 100: "ENETDOWN", 112: "EHOSTDOWN" },
  darwin: {
    ...{ 41: "EPROTOTYPE", 42: "ENOPROTOOPT", 50: "ENETDOWN", 64: "EHOSTDOWN" },
    ...{ 100: "EPROTO", 102: "EOPNOTSUPP" },
  },
  windows: {
    109: "EPIPE",
    ...{ 10042: "ENOPROTOOPT", 10045: "EOPNOTSUPP", 10049: "EADDRNOTAVAIL", 10050: "ENETDOWN" },
    ...{ 10051: "ENETUNREACH", 10052: "ENETRESET", 10054: "ECONNRESET", 10064: "EHOSTDOWN" },
    ...{ 10065: "EHOSTUNREACH", 10101: "EDISCON" },
    ...{ 11001: "ENOTFOUND", 11002: "EAI_AGAIN", 11004: "ENOTFOUND" },
  },
};

/**
 * What an error of a socket means; `undefined` for one of no known kind.
 *
 * @param name The system that the error is of. @default {this one}
 */
export function kindOf(error: unknown, name?: string): SocketFailureKind | undefined {
  if (error instanceof DOMException && error.name === "TimeoutError") return "TIMEOUT";
  return kinds[errnoOf(error, name) ?? ""];
}

/** What an error of a Unix socket means; `undefined` for one of no known kind. */
export function kindOfPath(error: unknown): SocketFailureKind | undefined {
  return pathKinds[errnoOf(error) ?? ""] ?? kindOf(error);
}

/**
 * The errno name of a system error (`ECONNREFUSED`), if it carries one.
 *
 * Deno sets it as `code` on most of its own errors and on those of `node:` modules, and names the
 * number in the message; the class alone does not distinguish all of them (`EMFILE` is a plain Error).
 *
 * @param name The system that the error is of. @default {this one}
 */
export function errnoOf(error: unknown, name = os): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, number] = /\(os error (\d+)\)/.exec(error.message) ?? [];
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return names[name]?.[Number(number)] ?? code;
}

/** Whether an error is neither a system call's nor the runtime's, such as a service's. */
export function isBug(error: unknown): boolean {
  const isRuntimeError = Object.values(Deno.errors).some((kind) => error instanceof kind);
  return !isRuntimeError && errnoOf(error) === undefined;
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
