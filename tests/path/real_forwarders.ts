import { netdemoCommand } from "../harness/process.ts";
import {
  dockerProxy,
  haproxy,
  nftables,
  nginx,
  pathOf,
  rinetd,
  socatListens,
  ssh,
  stunnel,
  words,
  xinetd,
} from "./configurations.ts";

/** A forwarder that people use, and how to run it in its simplest configuration. */
export interface RealForwarder {
  /** Its name in the table. */
  readonly name: string;
  /** Programs that it needs, the forwarder itself first; none for netdemo. */
  readonly programs: readonly string[];
  /** The command that prints its version; none for netdemo, which is of the page's own. */
  readonly version?: readonly string[];
  readonly protocol: "tcp" | "udp";
  /**
   * Returns the command that runs it in the foreground.
   *
   * @param from Port to listen on, on 127.0.0.1.
   * @param to Port to forward to, on 127.0.0.1.
   * @param folder A new folder for its files.
   */
  command(from: number, to: number, folder: string): Promise<readonly string[]>;
  /** Whether the command runs the one that follows it: `path` itself, in a network of its own. */
  readonly wraps?: boolean;
}

const HAPROXY = ["haproxy", "-v"];
const NGINX = ["nginx", "-v"];
const SOCAT = ["socat", "-V"];
const SSH = ["ssh", "sshd", "ssh-keygen"];
const NFTABLES = ["nft", "ip", "unshare"];

function relay(from: number, target: string): Promise<readonly string[]> {
  const flags = ["--host", "127.0.0.1", "--port", String(from), "--quiet"];
  return Promise.resolve([...netdemoCommand, "relay", ...flags, target]);
}

/** Every known forwarder, in the order of the table. */
export const realForwarders: readonly RealForwarder[] = [
  {
    name: "netdemo relay",
    programs: [],
    protocol: "tcp",
    command: (from, to) => relay(from, `127.0.0.1:${to}`),
  },
  {
    name: "socat",
    programs: ["socat"],
    version: SOCAT,
    protocol: "tcp",
    command: (from, to) => words(`socat ${socatListens("TCP", from)} TCP:127.0.0.1:${to}`),
  },
  {
    name: "haproxy",
    programs: ["haproxy"],
    version: HAPROXY,
    protocol: "tcp",
    command: haproxy,
  },
  {
    name: "haproxy, TLS between",
    programs: ["haproxy", "openssl"],
    version: HAPROXY,
    protocol: "tcp",
    command: (from, to, folder) => haproxy(from, to, folder, true),
  },
  {
    name: "nginx stream",
    programs: ["nginx"],
    version: NGINX,
    protocol: "tcp",
    command: (from, to, folder) => nginx(folder, `listen 127.0.0.1:${from}`, to),
  },
  {
    name: "nginx stream, proxy_half_close",
    programs: ["nginx"],
    version: NGINX,
    protocol: "tcp",
    command: (from, to, folder) =>
      nginx(folder, `listen 127.0.0.1:${from}; proxy_half_close on`, to),
  },
  {
    name: "ncat --sh-exec",
    programs: ["ncat"],
    version: ["ncat", "--version"],
    protocol: "tcp",
    command: async (from, to) => [
      ...await words(`ncat --keep-open --listen 127.0.0.1 ${from} --sh-exec`),
      `ncat 127.0.0.1 ${to}`,
    ],
  },
  {
    name: "ssh -L",
    programs: SSH,
    version: ["ssh", "-V"],
    protocol: "tcp",
    command: (from, to, folder) => ssh(folder, from + 1, `-L 127.0.0.1:${from}:127.0.0.1:${to}`),
  },
  {
    name: "ssh -R",
    programs: SSH,
    version: ["ssh", "-V"],
    protocol: "tcp",
    command: (from, to, folder) => ssh(folder, from + 1, `-R 127.0.0.1:${from}:127.0.0.1:${to}`),
  },
  {
    name: "ssh -D, behind socat",
    programs: ["socat", ...SSH],
    version: ["ssh", "-V"],
    protocol: "tcp",
    command: (from, to, folder) => {
      const socks = from + 2;
      const asks = `SOCKS4:127.0.0.1:127.0.0.1:${to},socksport=${socks}`;
      const front = `socat -t 60 ${socatListens("TCP", from)} ${asks} &`;
      return ssh(folder, from + 1, `-D 127.0.0.1:${socks}`, front);
    },
  },
  {
    name: "stunnel, TLS between",
    programs: ["stunnel4", "openssl"],
    version: ["stunnel4", "-version"],
    protocol: "tcp",
    command: stunnel,
  },
  {
    name: "hitch, behind stunnel",
    programs: ["hitch", "stunnel4", "openssl"],
    version: ["hitch", "--version"],
    protocol: "tcp",
    command: (from, to, folder) => stunnel(from, to, folder, "hitch"),
  },
  {
    name: "sslh",
    programs: ["sslh"],
    version: ["sslh", "-V"],
    protocol: "tcp",
    command: (from, to) => words(`sslh -f -p 127.0.0.1:${from} --anyprot 127.0.0.1:${to}`),
  },
  {
    name: "pen",
    programs: ["pen"],
    version: ["dpkg-query", "-W", "-f", "pen ${Version}", "pen"],
    protocol: "tcp",
    command: (from, to) => words(`pen -f 127.0.0.1:${from} 127.0.0.1:${to}`),
  },
  {
    name: "xinetd",
    programs: ["xinetd"],
    version: ["xinetd", "-version"],
    protocol: "tcp",
    command: xinetd,
  },
  {
    name: "6tunnel",
    programs: ["6tunnel"],
    version: ["dpkg-query", "-W", "-f", "6tunnel ${Version}", "6tunnel"],
    protocol: "tcp",
    command: (from, to) => words(`6tunnel -d -4 -l 127.0.0.1 ${from} 127.0.0.1 ${to}`),
  },
  {
    name: "redir",
    programs: ["redir"],
    version: ["redir", "--version"],
    protocol: "tcp",
    command: (from, to) => words(`redir -n 127.0.0.1:${from} 127.0.0.1:${to}`),
  },
  {
    name: "simpleproxy",
    programs: ["simpleproxy"],
    version: ["simpleproxy", "-V"],
    protocol: "tcp",
    command: (from, to) => words(`simpleproxy -L 127.0.0.1:${from} -R 127.0.0.1:${to}`),
  },
  {
    name: "rinetd",
    programs: ["rinetd"],
    version: ["rinetd", "--version"],
    protocol: "tcp",
    command: (from, to, folder) => rinetd(folder, `127.0.0.1 ${from} 127.0.0.1 ${to}`),
  },
  {
    name: "systemd-socket-proxyd",
    programs: ["systemd-socket-proxyd", "systemd-socket-activate"],
    version: ["systemd-socket-proxyd", "--version"],
    protocol: "tcp",
    command: async (from, to) => [
      ...await words(`systemd-socket-activate --listen 127.0.0.1:${from}`),
      pathOf("systemd-socket-proxyd"),
      `127.0.0.1:${to}`,
    ],
  },
  {
    name: "docker-proxy",
    programs: ["docker-proxy"],
    version: ["dpkg-query", "-W", "-f", "docker ${Version}", "docker.io"],
    protocol: "tcp",
    command: (from, to) => dockerProxy("tcp", from, to),
  },
  {
    name: "DNAT by nftables",
    programs: NFTABLES,
    version: ["nft", "--version"],
    protocol: "tcp",
    wraps: true,
    command: (from, to) => nftables("tcp", from, to),
  },
  {
    name: "netdemo relay",
    programs: [],
    protocol: "udp",
    command: (from, to) => relay(from, `udp://127.0.0.1:${to}`),
  },
  {
    name: "socat",
    programs: ["socat"],
    version: SOCAT,
    protocol: "udp",
    command: (from, to) => words(`socat ${socatListens("UDP", from)} UDP:127.0.0.1:${to}`),
  },
  {
    name: "nginx stream",
    programs: ["nginx"],
    version: NGINX,
    protocol: "udp",
    command: (from, to, folder) => nginx(folder, `listen 127.0.0.1:${from} udp`, to),
  },
  {
    name: "rinetd",
    programs: ["rinetd"],
    version: ["rinetd", "--version"],
    protocol: "udp",
    command: (from, to, folder) => rinetd(folder, `127.0.0.1 ${from}/udp 127.0.0.1 ${to}/udp`),
  },
  {
    name: "docker-proxy",
    programs: ["docker-proxy"],
    version: ["dpkg-query", "-W", "-f", "docker ${Version}", "docker.io"],
    protocol: "udp",
    command: (from, to) => dockerProxy("udp", from, to),
  },
  {
    name: "DNAT by nftables",
    programs: NFTABLES,
    version: ["nft", "--version"],
    protocol: "udp",
    wraps: true,
    command: (from, to) => nftables("udp", from, to),
  },
];
