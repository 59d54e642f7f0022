import { AssertionError } from "@std/assert";
import { problemsOfLine } from "./events.ts";
import config from "../../deno.json" with { type: "json" };

/** The executable to test in place of the source, if any. */
export const executable = Deno.env.get("NETDEMO_EXECUTABLE");

/**
 * The command as users run it from source, with only its own permissions, or
 * the executable that NETDEMO_EXECUTABLE names.
 */
export const netdemoCommand: readonly string[] = executable !== undefined ? [executable] : [
  Deno.execPath(),
  ...config.tasks.netdemo.command.split(" ").slice(1, -1),
  `${import.meta.dirname}/../../main.ts`,
];

/** Milliseconds that a test waits for a line before it fails with the output so far. */
const LINE_TIMEOUT_MS = 60_000;
/** Characters of an output to keep, the latest, as a program may print for minutes. */
const MAX_TEXT = 2 ** 26;

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process is started. */
export interface ProcessOptions {
  /** @default {"null"} */
  readonly stdin?: "piped" | "null";
  /** Added to the environment. NO_COLOR is always set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the environment has only `env` and NO_COLOR. @default {false} */
  readonly clearEnv?: boolean;
  /** The working folder. @default that of the tests */
  readonly cwd?: string;
}

/**
 * Asserts that every line netdemo printed with `--json` matches the event it
 * names. An incomplete last line, as a killed process leaves, is ignored.
 *
 * @throws {AssertionError} if a line does not match.
 */
export function assertEvents(command: readonly string[], stdout: string): void {
  const program = netdemoCommand.at(-1) ?? "";
  const args = command.slice(command.indexOf(program) + 1);
  const flags = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  if (!command.includes(program) || !flags.includes("--json")) return;
  for (const line of stdout.split("\n").slice(0, -1)) {
    const problems = problemsOfLine(line);
    if (problems.length > 0) throw new AssertionError(`${problems.join("; ")}: ${line}`);
  }
}

/**
 * A child process whose output is read as it arrives. It is killed with its scope.
 *
 * The tests start all their processes through this class.
 */
export class Process implements AsyncDisposable {
  readonly command: readonly string[];
  readonly child: Deno.ChildProcess;
  readonly #stdout: Pipe;
  readonly #stderr: Pipe;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;

  constructor(command: readonly string[], options: ProcessOptions = {}) {
    const { stdin = "null", env, clearEnv, cwd } = options;
    this.command = command;
    const [program = "", ...args] = command;
    this.child = new Deno.Command(program, {
      args,
      stdin,
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", ...env },
      clearEnv,
      cwd,
    }).spawn();
    this.#stdin = stdin === "piped" ? this.child.stdin.getWriter() : undefined;
    this.#stdout = new Pipe(this.child.stdout);
    this.#stderr = new Pipe(this.child.stderr);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Waits until stdout matches. @throws {Error} if the process ends first, or after a minute. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const match = await this.#stdout.match(pattern);
    if (match !== undefined) return match;
    if (this.#stdout.ended) await this.#stderr.end;
    const why = this.#stdout.ended ? "the process ended" : "a minute passed";
    throw new Error(
      `${why} without ${pattern} on stdout: ${this.#stdout.text}\non stderr: ${this.#stderr.text}`,
    );
  }

  /** Waits until stderr matches, as {@linkcode printed} does for stdout. */
  async reported(pattern: RegExp): Promise<RegExpExecArray> {
    const match = await this.#stderr.match(pattern);
    if (match !== undefined) return match;
    throw new Error(`no ${pattern} on stderr: ${this.#stderr.text}`);
  }

  /** Writes to stdin. Rejects if the process has closed it. */
  async write(text: string | Uint8Array): Promise<void> {
    await this.#stdin?.write(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  /** Closes stdin, unless it is closed already or the process has ended. */
  async closeStdin(): Promise<void> {
    await this.#stdin?.close().catch(() => {});
  }

  /** Writes all of stdin and closes it. The process may end without reading all. */
  async input(text: string | Uint8Array): Promise<void> {
    await this.write(text).catch(() => {});
    await this.closeStdin();
  }

  /** Stops reading stdout: the pipe fills, as with a reader that hangs. */
  stallStdout(): void {
    this.#stdout.stall();
  }

  /** Resumes reading stdout. */
  resumeStdout(): void {
    this.#stdout.resume();
  }

  /** Closes the reading end of stdout: further writes get EPIPE. */
  async closeStdout(): Promise<void> {
    await this.#stdout.close();
  }

  /** Sends a signal, if the process is still running. */
  kill(signal: Deno.Signal): void {
    try {
      this.child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  /** Waits for the end of the process and of its output. */
  async ended(): Promise<Ended> {
    const { code } = await this.child.status;
    this.resumeStdout();
    await Promise.all([this.#stdout.end, this.#stderr.end]);
    assertEvents(this.command, this.#stdout.text);
    return { code, stdout: this.#stdout.text, stderr: this.#stderr.text };
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ended> {
    this.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    await this.closeStdin();
  }
}

/** An output of a process, read as it arrives unless stalled. */
class Pipe {
  text = "";
  ended = false;
  /** Resolves once everything has been read. */
  readonly end: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #changed = Promise.withResolvers<void>();
  #stalled: PromiseWithResolvers<void> | undefined;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.end = this.#readAll();
  }

  /** Waits for a match; `undefined` if the stream ends or a minute passes without one. */
  async match(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let late = false;
    try {
      while (true) {
        const match = pattern.exec(this.text);
        if (match !== null) return match;
        if (this.ended || late) return undefined;
        timer ??= setTimeout(() => {
          late = true;
          this.#wake();
        }, LINE_TIMEOUT_MS);
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  stall(): void {
    this.#stalled ??= Promise.withResolvers();
  }

  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = undefined;
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #readAll(): Promise<void> {
    const decoder = new TextDecoder();
    while (true) {
      await this.#stalled?.promise;
      const { value, done } = await this.#reader.read();
      this.text += decoder.decode(value, { stream: !done });
      if (this.text.length > MAX_TEXT) this.text = this.text.slice(-MAX_TEXT / 2);
      this.ended = done;
      this.#wake();
      if (done) return;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Runs a program to its end. */
export async function run(
  command: readonly string[],
  options: Omit<ProcessOptions, "stdin"> & { readonly stdin?: string | Uint8Array } = {},
): Promise<Ended> {
  const { stdin, ...rest } = options;
  await using process = new Process(command, {
    ...rest,
    stdin: stdin === undefined ? "null" : "piped",
  });
  if (stdin !== undefined) await process.input(stdin);
  return await process.ended();
}

/** Runs netdemo to its end, in a process of its own. */
export function netdemo(args: readonly string[], stdin?: string | Uint8Array): Promise<Ended> {
  return run([...netdemoCommand, ...args], { stdin });
}

/** A netdemo server in a process of its own, and its port. */
export async function startServer(
  args: readonly string[],
  port: readonly string[] = ["--port", "0"],
): Promise<{ process: Process; port: number }> {
  const process = new Process([...netdemoCommand, ...args, ...port]);
  const json = args.includes("--json");
  const [, real] = await process.printed(json ? /"port":(\d+)/ : /Listening on \S+?:(\d+) /);
  return { process, port: Number(real) };
}
