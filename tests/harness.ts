import { assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

/** The executable that is tested in place of the source, if one is. */
export const executable = Deno.env.get("NETDEMO_EXECUTABLE");

/**
 * The product as users run it from source, with its own permissions and no
 * more; or the executable that NETDEMO_EXECUTABLE names.
 */
export const netdemoCommand: readonly string[] = executable !== undefined ? [executable] : [
  Deno.execPath(),
  ...config.tasks.netdemo.command.split(" ").slice(1, -1),
  `${import.meta.dirname}/../main.ts`,
];

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process whose output is read as it comes. It is ended with its scope. */
export class Process implements AsyncDisposable {
  readonly command: readonly string[];
  readonly child: Deno.ChildProcess;
  #stdout = "";
  #stderr = "";
  #changed = Promise.withResolvers<void>();
  readonly #pumps: Promise<void>[];
  readonly #hasStdin: boolean;
  #ended = false;
  #stdinClosed = false;

  constructor(
    command: readonly string[],
    options: { stdin?: "piped" | "null"; env?: Record<string, string> } = {},
  ) {
    this.command = command;
    const [program = "", ...args] = command;
    this.child = new Deno.Command(program, {
      args,
      stdin: options.stdin ?? "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", ...options.env },
    }).spawn();
    this.#hasStdin = options.stdin === "piped";
    this.#pumps = [
      this.#pump(this.child.stdout, (text) => this.#stdout += text),
      this.#pump(this.child.stderr, (text) => this.#stderr += text),
    ];
  }

  /** Waits until stdout matches. @throws if the process ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    while (true) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      if (this.#ended) {
        throw new Error(`ended without ${pattern}: ${this.#stdout}${this.#stderr}`);
      }
      await this.#changed.promise;
    }
  }

  /** Gives the text to stdin and closes it. */
  async input(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    this.#stdinClosed = true;
    // It may end before it has read all.
    await new Blob([bytes as BlobPart]).stream().pipeTo(this.child.stdin).catch(() => {});
  }

  async ended(): Promise<Ended> {
    const { code } = await this.child.status;
    await Promise.all(this.#pumps);
    return { code, stdout: this.#stdout, stderr: this.#stderr };
  }

  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ended> {
    this.child.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
    if (this.#hasStdin && !this.#stdinClosed) await this.child.stdin.close().catch(() => {});
  }

  async #pump(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      add(text);
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Runs netdemo to its end. */
export async function netdemo(
  args: readonly string[],
  stdin?: string | Uint8Array,
): Promise<Ended> {
  await using process = new Process([...netdemoCommand, ...args], {
    stdin: stdin === undefined ? "null" : "piped",
  });
  if (stdin !== undefined) await process.input(stdin);
  return await process.ended();
}

/** A netdemo server in a process of its own, and its port. */
export async function startServer(
  args: readonly string[],
): Promise<{ process: Process; port: number }> {
  const process = new Process([...netdemoCommand, ...args, "--port", "0"]);
  const json = args.includes("--json");
  const [, port] = await process.printed(json ? /"port":(\d+)/ : /Listening on \S+?:(\d+) /);
  return { process, port: Number(port) };
}

/** The Python that plays the lesson's original programs, where there is one. */
export const python = await findPython();

async function findPython(): Promise<string | undefined> {
  for (const name of ["python3", "python"]) {
    try {
      const { success, stdout } = await new Deno.Command(name, {
        args: ["-c", "import sys; print(sys.version_info[0])"],
        stderr: "null",
      }).output();
      if (success && new TextDecoder().decode(stdout).trim() === "3") return name;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/** A test that needs Python on a Unix; without it is skipped, and its name says why. */
export function pythonTest(name: string, run: (python: string) => Promise<void>): void {
  const ignore = python === undefined || Deno.build.os === "windows";
  Deno.test({
    name: ignore ? `${name} (skipped: no python3 on a Unix)` : name,
    ignore,
    fn: () => run(python ?? ""),
  });
}

/** A test that needs signals and a shell; on Windows, which has neither of this kind, it is skipped. */
export function signalTest(name: string, fn: () => Promise<void>): void {
  const ignore = Deno.build.os === "windows";
  Deno.test({ name: ignore ? `${name} (skipped: needs signals)` : name, ignore, fn });
}

/** A TCP connection that tests write to and read from in plain words. */
export class TestConnection implements Disposable {
  readonly conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  static async open(port: number, hostname = "127.0.0.1"): Promise<TestConnection> {
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay();
    return new TestConnection(conn);
  }

  async send(data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (bytes.length > 0) bytes = bytes.subarray(await this.conn.write(bytes));
  }

  /** What comes in one read. */
  async receive(): Promise<string> {
    const buffer = new Uint8Array(65_536);
    const count = await this.conn.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  }

  /** All that comes until so many lines have come, or the end. */
  async receiveLines(count: number): Promise<string[]> {
    let text = "";
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    while (text.split("\n").length <= count) {
      const read = await this.conn.read(buffer);
      if (read === null) break;
      text += decoder.decode(buffer.subarray(0, read), { stream: true });
    }
    return text.replace(/\n$/, "").split("\n");
  }

  /** All that comes until the peer ends the stream. */
  async receiveAll(): Promise<string> {
    return await new Response(this.conn.readable).text();
  }

  [Symbol.dispose](): void {
    this.conn[Symbol.dispose]();
  }
}

/** Open descriptors of a process: Linux only, `undefined` elsewhere. */
export function countDescriptors(pid: number | "self" = "self"): number | undefined {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  } catch {
    return undefined;
  }
}

/** Waits for what has no event to wait for, such as a count in /proc. @throws after ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A client that asks and must be answered, at once. */
export async function probe(port: number): Promise<void> {
  using connection = await TestConnection.open(port);
  await connection.send("10 20 +\n");
  assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
}

/** Waits until as few descriptors are open as before, where they can be counted. */
export async function backAtBaseline(
  before: number | undefined,
  pid: number | "self" = "self",
): Promise<void> {
  if (before === undefined) return;
  // The runtime opens a cache or two of its own when it first needs them.
  await until(() => (countDescriptors(pid) ?? 0) <= before + 2, `descriptors back at ${before}`);
}

/** Lets time pass without traffic, where the silence itself is what is tested. */
export function silence(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Memory that a process holds, in kB: Linux only. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
}

/** The seed of a test with random inputs: NETDEMO_SEED, or one of its own that is printed on failure. */
export const seed = Number(Deno.env.get("NETDEMO_SEED") ?? Date.now() % 1_000_000);

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
