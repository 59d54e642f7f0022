import type { Failed } from "../probe/verdict.ts";

/** Why a probe could not be made, which says nothing about the target. */
export function errorWords({ problem, errno }: Failed): string {
  if (problem === "too busy") return "this process was too busy to tell";
  const words = problem === "this host" ? errnosHere[errno ?? ""] : undefined;
  return words === undefined ? errnoWords(errno) : `${words} (${errno})`;
}

/** What an errno means that does not come from the network, but from this host. */
const errnosHere: Readonly<Record<string, string>> = {
  EACCES: "a route of this host prohibits it",
  EADDRNOTAVAIL: "this host has no free port, or no address of that kind",
  EAFNOSUPPORT: "this host has no addresses of that kind",
  EHOSTUNREACH: "a route of this host says that it can't be reached",
  EINVAL: "a route of this host discards everything",
  ENETDOWN: "the network of this host is down",
  ENETUNREACH: "this host has no route there",
  EPERM: "the firewall of this host prohibits it",
};

const errnos: Readonly<Record<string, string>> = {
  EACCES: "prohibited",
  EAGAIN: "its queue of connections is full",
  ECONNREFUSED: "nothing is listening there",
  EHOSTDOWN: "the host is down",
  EHOSTUNREACH: "the host can't be reached, or a firewall prohibits it",
  EMFILE: "too many open files",
  EMSGSIZE: "too large for one datagram",
  ENAMETOOLONG: "the path is too long for a socket",
  ENETUNREACH: "no route to that network",
  ENOENT: "no such file",
  ENOTDIR: "a part of the path is not a folder",
  ENOTSOCK: "the file is not a socket",
};

export function errnoWords(errno: string | undefined): string {
  if (errno === undefined) return "failed";
  const words = errnos[errno];
  return words === undefined ? errno : `${words} (${errno})`;
}
