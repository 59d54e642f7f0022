/** Commands that run forwarders, with their configurations written to a folder. */

export function words(line: string): Promise<string[]> {
  return Promise.resolve(line.split(" "));
}

export function socatListens(protocol: "TCP" | "UDP", port: number): string {
  return `${protocol}-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr`;
}

export const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

export async function nginx(
  folder: string,
  server: string,
  to: number,
): Promise<readonly string[]> {
  const config = `
${exists(STREAM_MODULE) ? `load_module ${STREAM_MODULE};` : ""}
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
stream { server { ${server}; proxy_pass 127.0.0.1:${to}; } }
`;
  await Deno.writeTextFile(`${folder}/nginx.conf`, config);
  return ["nginx", "-c", `${folder}/nginx.conf`, "-e", `${folder}/error.log`];
}

export async function rinetd(folder: string, rule: string): Promise<readonly string[]> {
  await Deno.writeTextFile(`${folder}/rinetd.conf`, `${rule}\n`);
  return ["rinetd", "--foreground", "--conf-file", `${folder}/rinetd.conf`];
}

/** docker-proxy reports on descriptor 3 that it is up. */
export function dockerProxy(
  protocol: string,
  from: number,
  to: number,
): Promise<readonly string[]> {
  const line = `exec docker-proxy -proto ${protocol} -host-ip 127.0.0.1 -host-port ${from} ` +
    `-container-ip 127.0.0.1 -container-port ${to} 3>/dev/null`;
  return Promise.resolve(["sh", "-c", line]);
}

/**
 * An ssh server and client with new keys; the client forwards.
 *
 * @param how The client's flags.
 * @param port Where the server listens.
 * @param beside What else runs. @default {nothing}
 */
export async function ssh(
  folder: string,
  port: number,
  how: string,
  beside = "",
): Promise<readonly string[]> {
  for (const name of ["host", "user"]) {
    const args = ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`];
    await new Deno.Command("ssh-keygen", { args }).output();
  }
  const config = `
Port ${port}
ListenAddress 127.0.0.1
HostKey ${folder}/host
AuthorizedKeysFile ${folder}/user.pub
PidFile none
StrictModes no
UsePAM no
`;
  await Deno.writeTextFile(`${folder}/sshd_config`, config);
  const options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
  // Root's sshd needs this folder, which its start script may not have created.
  const script = `[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
${pathOf("sshd")} -D -f ${folder}/sshd_config &
${beside}
until ssh ${options} -i ${folder}/user -p ${port} -N ${how} "$(id -un)@127.0.0.1"; do sleep 0.1; done`;
  return ["sh", "-c", script];
}

/** HAProxy in TCP mode. @param tls Whether it forwards to itself over TLS, and from there. */
export async function haproxy(
  from: number,
  to: number,
  folder: string,
  tls = false,
): Promise<readonly string[]> {
  const between = tls ? from + 1 : to;
  const server = tls ? `127.0.0.1:${between} ssl verify none` : `127.0.0.1:${to}`;
  const second = `
listen second
  bind 127.0.0.1:${between} ssl crt ${folder}/both.pem
  server behind 127.0.0.1:${to}
`;
  if (tls) await certificate(folder);
  const config = `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen first
  bind 127.0.0.1:${from}
  server behind ${server}
${tls ? second : ""}`;
  await Deno.writeTextFile(`${folder}/haproxy.cfg`, config);
  return ["haproxy", "-db", "-f", `${folder}/haproxy.cfg`];
}

/** stunnel as a TLS client, in front of a TLS server. @param server What that is. */
export async function stunnel(
  from: number,
  to: number,
  folder: string,
  server: "stunnel" | "hitch" = "stunnel",
): Promise<readonly string[]> {
  await certificate(folder);
  const between = from + 1;
  const second = `
[server]
accept = 127.0.0.1:${between}
connect = 127.0.0.1:${to}
cert = ${folder}/both.pem
`;
  const config = `
foreground = yes
pid =
syslog = no
[client]
client = yes
accept = 127.0.0.1:${from}
connect = 127.0.0.1:${between}
${server === "stunnel" ? second : ""}`;
  await Deno.writeTextFile(`${folder}/stunnel.conf`, config);
  const run = `stunnel4 ${folder}/stunnel.conf`;
  if (server === "stunnel") return await words(run);
  const hitch = `hitch --user=nobody --frontend=[127.0.0.1]:${between} ` +
    `--backend=[127.0.0.1]:${to} ${folder}/both.pem`;
  return ["sh", "-c", `chmod -R a+rX ${folder}; ${run} & exec ${hitch}`];
}

/** Writes both.pem: a new key and a certificate for it. */
async function certificate(folder: string): Promise<void> {
  const files = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"];
  await new Deno.Command("openssl", { args: [...args, ...files, "-days", "2"] }).output();
  const parts = ["key.pem", "cert.pem"].map((name) => Deno.readTextFileSync(`${folder}/${name}`));
  await Deno.writeTextFile(`${folder}/both.pem`, parts.join(""));
}

export async function xinetd(from: number, to: number, folder: string): Promise<readonly string[]> {
  const config = `
service forwarder
{
  type = UNLISTED
  socket_type = stream
  wait = no
  user = root
  bind = 127.0.0.1
  port = ${from}
  redirect = 127.0.0.1 ${to}
  instances = UNLIMITED
  cps = 10000 1
}
`;
  await Deno.writeTextFile(`${folder}/xinetd.conf`, config);
  return ["xinetd", "-dontfork", "-f", `${folder}/xinetd.conf`, "-pidfile", `${folder}/pid`];
}

/** Translates addresses in a network of its own, in which it runs the command that follows. */
export function nftables(protocol: string, from: number, to: number): Promise<readonly string[]> {
  const rules = "add table ip nat; " +
    "add chain ip nat output { type nat hook output priority -100; }; " +
    `add rule ip nat output ip daddr 127.0.0.1 ${protocol} dport ${from} dnat to 127.0.0.1:${to}`;
  const script = `ip link set lo up && nft '${rules}' && exec "$@"`;
  return Promise.resolve(["unshare", "-n", "sh", "-c", script, "sh"]);
}

/** Folders of programs that not every PATH includes. */
const FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/lib/systemd", "/lib/systemd"];

/** The PATH to search for forwarders. */
export const PATH = [Deno.env.get("PATH"), ...FOLDERS].join(":");

/** The path of a program; empty if it is not installed. */
export function pathOf(program: string): string {
  if (program.startsWith("/")) return program;
  const paths = PATH.split(":").map((folder) => `${folder}/${program}`);
  return paths.find(exists) ?? "";
}

export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
