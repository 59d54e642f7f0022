import { exists, PATH, pathOf, STREAM_MODULE } from "./configurations.ts";
import type { RealForwarder } from "./real_forwarders.ts";

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

/** A forwarder with its version number, such as `nginx stream 1.22.1`. */
export async function nameWithVersion({ name, version }: RealForwarder): Promise<string> {
  if (version === undefined) return name;
  const [program = "", ...args] = version;
  const options = { args, env: { PATH }, stdin: "null" } as const;
  const { stdout, stderr } = await new Deno.Command(pathOf(program), options).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return `${name} ${/\d+(?:\.\d+)+(?:p\d+)?|\b\d{3}\b/.exec(text)?.[0] ?? "version unknown"}`;
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
