import { netdemoCommand } from "../harness/process.ts";

/** A forwarder that people use, and how to run it in its simplest configuration. */
export interface RealForwarder {
  /** Its name in the table. */
  readonly name: string;
  /** Programs that it needs, the forwarder itself first; none for netdemo. */
  readonly programs: readonly string[];
  /** The command that prints its version. */
  readonly version: readonly string[];
  readonly protocol: "tcp" | "udp";
  /**
   * Returns the command that runs it in the foreground.
   *
   * @param from Port to listen on, on 127.0.0.1.
   * @param to Port to forward to, on 127.0.0.1.
   * @param folder A new folder for its files.
   */
  command(from: number, to: number, folder: string): Promise<readonly string[]>;
}

const HAPROXY = ["haproxy", "-v"];
const NGINX = ["nginx", "-v"];
const SOCAT = ["socat", "-V"];

function relay(from: number, target: string): Promise<readonly string[]> {
  const flags = ["--host", "127.0.0.1", "--port", String(from), "--quiet"];
  return Promise.resolve([...netdemoCommand, "relay", ...flags, target]);
}

/** Every known forwarder, in the order of the table. */
export const realForwarders: readonly RealForwarder[] = [
  {
    name: "netdemo relay",
    programs: [],
    version: [...netdemoCommand, "--version"],
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
    async command(from, to, folder) {
      const config = `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen forwarder
  bind 127.0.0.1:${from}
  server behind 127.0.0.1:${to}
`;
      await Deno.writeTextFile(`${folder}/haproxy.cfg`, config);
      return ["haproxy", "-db", "-f", `${folder}/haproxy.cfg`];
    },
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
    programs: ["ssh", "sshd", "ssh-keygen"],
    version: ["ssh", "-V"],
    protocol: "tcp",
    command: sshTunnel,
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
    name: "netdemo relay",
    programs: [],
    version: [...netdemoCommand, "--version"],
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
];

function words(line: string): Promise<string[]> {
  return Promise.resolve(line.split(" "));
}

function socatListens(protocol: "TCP" | "UDP", port: number): string {
  return `${protocol}-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr`;
}

const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

async function nginx(folder: string, server: string, to: number): Promise<readonly string[]> {
  const config = `
${exists(STREAM_MODULE) ? `load_module ${STREAM_MODULE};` : ""}
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
stream { server { ${server}; proxy_pass 127.0.0.1:${to}; } }
`;
  await Deno.writeTextFile(`${folder}/nginx.conf`, config);
  return ["nginx", "-c", `${folder}/nginx.conf`, "-e", `${folder}/error.log`];
}

async function rinetd(folder: string, rule: string): Promise<readonly string[]> {
  await Deno.writeTextFile(`${folder}/rinetd.conf`, `${rule}\n`);
  return ["rinetd", "--foreground", "--conf-file", `${folder}/rinetd.conf`];
}

/** docker-proxy reports on descriptor 3 that it is up. */
function dockerProxy(protocol: string, from: number, to: number): Promise<readonly string[]> {
  const line = `exec docker-proxy -proto ${protocol} -host-ip 127.0.0.1 -host-port ${from} ` +
    `-container-ip 127.0.0.1 -container-port ${to} 3>/dev/null`;
  return Promise.resolve(["sh", "-c", line]);
}

/** An ssh server and client with new keys; the client forwards. */
async function sshTunnel(from: number, to: number, folder: string): Promise<readonly string[]> {
  for (const name of ["host", "user"]) {
    const args = ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`];
    await new Deno.Command("ssh-keygen", { args }).output();
  }
  const port = from + 1;
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
until ssh ${options} -i ${folder}/user -p ${port} -N -L 127.0.0.1:${from}:127.0.0.1:${to} \\
  "$(id -un)@127.0.0.1"; do sleep 0.1; done`;
  return ["sh", "-c", script];
}

/** Folders of programs that not every PATH includes. */
const FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/lib/systemd", "/lib/systemd"];

/** The PATH to search for forwarders. */
export const PATH = [Deno.env.get("PATH"), ...FOLDERS].join(":");

/** The path of a program; empty if it is not installed. */
function pathOf(program: string): string {
  if (program.startsWith("/")) return program;
  const paths = PATH.split(":").map((folder) => `${folder}/${program}`);
  return paths.find(exists) ?? "";
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What a forwarder needs and this machine lacks. */
export function missing({ programs }: RealForwarder): readonly string[] {
  const lacking = programs.filter((program) => pathOf(program) === "");
  const lacksModule = lacking.length === 0 && programs.includes("nginx") && !hasStreamModule();
  return lacksModule ? ["stream module of nginx"] : lacking;
}

function hasStreamModule(): boolean {
  if (exists(STREAM_MODULE)) return true;
  const { stderr } = new Deno.Command(pathOf("nginx"), { args: ["-V"] }).outputSync();
  return /--with-stream(?!\S)/.test(new TextDecoder().decode(stderr));
}

/** The version number, such as `1.22.1`, in a program's output. */
export async function versionOf({ version: [program = "", ...args] }: RealForwarder) {
  const options = { args, env: { PATH }, stdin: "null" } as const;
  const { stdout, stderr } = await new Deno.Command(pathOf(program), options).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return /\d+(?:\.\d+)+(?:p\d+)?|\b\d{3}\b/.exec(text)?.[0] ?? "version unknown";
}

/** A running forwarder, with all processes that it has started. */
export class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts a forwarder in its own session, so that all its processes can be ended together. */
  static async start(forwarder: RealForwarder, from: number, to: number): Promise<Running> {
    const folder = await Deno.makeTempDir();
    const [program = "", ...args] = await forwarder.command(from, to, folder);
    const child = new Deno.Command(pathOf(program), {
      args,
      env: { PATH },
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    return new Running(child, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}
