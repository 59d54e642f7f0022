import { messageOf } from "../../sockets/errno.ts";
import { processesMarked, usageOf } from "./system.ts";

/** Bytes of each output that are kept. */
const KEPT = 65_536;
/** Bytes of its end that are kept as well, for the last words. */
const TAIL = 4_096;
/** Milliseconds in which a program that just closed its sockets is given the time to end. */
const DYING_MS = 700;
/** Milliseconds for which the pipes of a program that has ended are read on. */
const DRAIN_MS = 2_000;
/** Milliseconds between two looks at the memory that a program takes. */
const MEMORY_LOOK_MS = 1_000;
/** Bytes of memory that a program may take. */
const MAX_MEMORY = 2 * 1024 ** 3;

/** The command line can't be started at all. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
  readonly found: boolean;

  constructor(program: string, cause: unknown) {
    const found = !(cause instanceof Deno.errors.NotFound);
    const why = found
      ? cause instanceof Deno.errors.PermissionDenied ? "it is not executable" : messageOf(cause)
      : "there is no such program";
    super(`cannot start ${program}: ${why}`, { cause });
    this.found = found;
  }
}

/** How a child is started. */
export interface ChildOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What its stdin holds. @default nothing */
  readonly stdin?: string | undefined;
  /** Bytes of its stdout that are kept. @default {65_536} */
  readonly kept?: number | undefined;
}

/**
 * A learner's program, running in a session of its own. Whatever it does, it
 * ends with {@linkcode stop}: it, its process group, and on Linux all that
 * still carries the mark.
 */
export class Child {
  readonly pid: number;
  readonly stdout: Kept;
  readonly stderr: Kept;
  /** Resolves when it ends. */
  readonly status: Promise<Deno.CommandStatus>;
  /** How it ended, if it has. */
  ended: Deno.CommandStatus | undefined;
  /** Whether it was ended since it took too much memory. */
  tookTooMuchMemory = false;
  readonly #process: Deno.ChildProcess;
  readonly #feeding: Promise<void> | undefined;
  #memoryTimer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> | undefined;

  /** @throws {CannotStart} */
  constructor({ command, env, stdin, kept = KEPT }: ChildOptions) {
    const [program = "", ...args] = command;
    try {
      this.#process = new Deno.Command(program, {
        args,
        env: { ...env },
        stdin: stdin === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
        detached: true,
      }).spawn();
    } catch (cause) {
      throw new CannotStart(program, cause);
    }
    this.pid = this.#process.pid;
    this.stdout = new Kept(this.#process.stdout, kept);
    this.stderr = new Kept(this.#process.stderr, KEPT);
    if (stdin !== undefined) this.#feeding = feed(this.#process.stdin, stdin);
    this.status = this.#process.status.then((status) => this.ended = status);
    this.#watchMemory();
  }

  /** Whether it ends within so many milliseconds. */
  async endsWithin(milliseconds: number): Promise<boolean> {
    if (this.ended !== undefined) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([this.status, late]);
    clearTimeout(timer);
    return this.ended !== undefined;
  }

  /** `your program ended (exit code 1)`, if it does or is about to; else `undefined`. */
  async howItEnded(): Promise<string | undefined> {
    if (!await this.endsWithin(DYING_MS)) return undefined;
    if (this.tookTooMuchMemory) return "your program took more than 2 GB of memory and was ended";
    return `your program ${endingOf(this.ended)}`;
  }

  /** Sends a signal to the whole process group, as a terminal does. */
  signal(signal: Deno.Signal): void {
    try {
      Deno.kill(Deno.build.os === "windows" ? this.pid : -this.pid, signal);
    } catch {
      // Nobody is left.
    }
  }

  /** Ends it and its process group, and lets go of its pipes. */
  async stop(): Promise<void> {
    clearTimeout(this.#memoryTimer);
    this.signal("SIGKILL");
    await this.status;
    // What has left the group may hold the pipes open for ever.
    await Promise.all([this.stdout.close(), this.stderr.close(), this.#feeding, this.#looking]);
  }

  /** Waits for what is still in the pipes, once it has ended; not for what others may still print. */
  async printed(): Promise<void> {
    await Promise.all([this.stdout.drained(DRAIN_MS), this.stderr.drained(DRAIN_MS)]);
  }

  #watchMemory(): void {
    this.#memoryTimer = setTimeout(() => {
      if (this.ended !== undefined) return;
      this.#looking = usageOf(this.pid).then((usage) => {
        if ((usage?.memory ?? 0) > MAX_MEMORY) {
          this.tookTooMuchMemory = true;
          this.signal("SIGKILL");
        } else if (this.ended === undefined) this.#watchMemory();
      });
    }, MEMORY_LOOK_MS);
  }
}

/** `ended (exit code 1)`, `was killed by SIGSEGV`. */
export function endingOf(status: Deno.CommandStatus | undefined): string {
  if (status === undefined) return "is still running";
  if (status.signal !== null) return `was killed by ${status.signal}${named(status.signal)}`;
  return `ended (exit code ${status.code})`;
}

function named(signal: string): string {
  const names: Record<string, string> = {
    SIGSEGV: " (a pointer or an index went wrong)",
    SIGABRT: " (memory was overwritten, or an assertion failed)",
    SIGPIPE: " (it wrote to a connection that was gone)",
    SIGFPE: " (a division by zero)",
  };
  return names[signal] ?? "";
}

/** Ends whatever carries the mark in its environment. It may fork meanwhile: looks until none is left. */
export async function endMarked(mark: string): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const pids = await processesMarked(mark);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
}

/** An output of a program: its beginning and its end are kept, what is between is thrown away. */
export class Kept {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limit: number;
  readonly #end: Promise<void>;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #tail = new Uint8Array();
  #changed = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>, limit: number) {
    this.#reader = stream.getReader();
    this.#limit = limit;
    this.#end = this.#readAll();
  }

  /** Bytes that are kept of its beginning. */
  get size(): number {
    return this.#size;
  }

  /** Its beginning as text. */
  get text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
  }

  /** Its last bytes as text, from the one with this number on. */
  tailFrom(start: number): string {
    if (this.#tail.length > 0) return new TextDecoder().decode(this.#tail);
    return new TextDecoder().decode(joined(this.#chunks).subarray(start));
  }

  /** Whether its beginning comes to satisfy the test within so many milliseconds. */
  async shows(test: (text: string) => boolean, milliseconds: number): Promise<boolean> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#changed.resolve();
    }, milliseconds);
    const ended = this.#end.then(() => late = true);
    while (!test(this.text) && !late) await Promise.race([this.#changed.promise, ended]);
    clearTimeout(timer);
    return test(this.text);
  }

  /** Waits until it has ended, but not longer than so many milliseconds. */
  async drained(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([this.#end, late]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await this.drained(50);
    await this.#reader.cancel().catch(() => {});
    await this.#end;
  }

  async #readAll(): Promise<void> {
    while (true) {
      const { value, done } = await this.#reader.read().catch(() => ({
        value: undefined,
        done: true,
      }));
      if (done || value === undefined) return;
      const room = this.#limit - this.#size;
      if (room > 0) {
        const part = value.subarray(0, room);
        this.#chunks.push(part);
        this.#size += part.length;
      } else {
        this.#tail = joined([this.#tail, value]).slice(-TAIL);
        // A program that prints without end must not keep this one from its work.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
