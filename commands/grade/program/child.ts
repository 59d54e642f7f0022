import { Changes, until } from "../../../sockets/changes.ts";
import { reasonOf } from "../../../sockets/errno.ts";
import { os } from "../../../sockets/system.ts";
import { Finding } from "../../../suite/test.ts";
import { MAX_MEMORY, MAX_PRINTED, offences } from "./enclosure.ts";
import { KeptOutput } from "./kept_output.ts";
import { processesMarked, processGroupsOf, usageOf } from "./system.ts";
import { endTree, exitCodeWords } from "./windows.ts";

/** Bytes kept of each output. */
const KEPT = 65_536;
/** Milliseconds that a program gets to end after it has closed its sockets. */
const DYING_MS = 700;
/** Milliseconds that a program gets to end once it is killed. */
const KILLED_MS = 2_000;
/** Milliseconds that a killed program's stdin gets to close. */
const STDIN_MS = 100;
/** Milliseconds to keep reading the pipes of a program that has ended. */
const DRAIN_MS = 2_000;
/** Milliseconds between two checks of a program's memory, which keep a processor busy on Windows. */
const MEMORY_LOOK_MS = os === "windows" ? 10_000 : 1_000;

/** Thrown if the command can't be started. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
  readonly found: boolean;

  constructor(program: string, cause: unknown) {
    const found = !(cause instanceof Deno.errors.NotFound);
    const why = found
      ? cause instanceof Deno.errors.PermissionDenied ? "it is not executable" : reasonOf(cause)
      : "the program was not found";
    super(`cannot start ${program}: ${why}`, { cause });
    this.found = found;
  }
}

/** Returns what to throw if the command can't be started. */
function startFailure(
  { command: [program = ""], folder }: ChildOptions,
  cause: unknown,
): CannotStart | Finding {
  if (!isGone(folder)) return new CannotStart(program, cause);
  return new Finding({
    saw: "your program can't be started: the folder that it runs in is gone",
    fix: "don't delete or rename the folder that the program runs in",
  });
}

/** Whether a working folder was deleted: nothing can be started in it then. */
function isGone(folder: string | undefined): boolean {
  try {
    if (folder === undefined) Deno.cwd();
    else Deno.statSync(folder);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** How a child is started. */
interface ChildOptions {
  readonly command: readonly string[];
  /** Its working folder. @default {netdemo's own} */
  readonly folder?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** What its stdin holds. @default nothing */
  readonly stdin?: string | undefined;
  /** Bytes kept of its stdout. @default {65_536} */
  readonly kept?: number | undefined;
  /** Megabytes of memory that it may use before it is stopped. @default {2_000} */
  readonly maxMemory?: number;
}

/**
 * A learner's program, running in a session of its own. Whatever it does,
 * {@linkcode stop} ends it and its process group, and on Linux
 * {@linkcode endMarked} ends processes that have left the group.
 */
export class Child {
  readonly pid: number;
  readonly stdout: KeptOutput;
  readonly stderr: KeptOutput;
  /** How it ended, if it has. */
  ended: Deno.CommandStatus | undefined;
  readonly #maxMemory: number;
  #tookTooMuchMemory = false;
  #isStopped = false;
  readonly #process: Deno.ChildProcess;
  #isFed = true;
  readonly #changes = new Changes();
  #memoryTimer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> | undefined;
  #killing: Promise<void> | undefined;

  /**
   * @throws {CannotStart}
   * @throws {Finding} if the folder to start it in is gone.
   */
  constructor(options: ChildOptions) {
    const { command, folder, env, stdin, kept = KEPT, maxMemory = MAX_MEMORY } = options;
    const [program = "", ...args] = command;
    try {
      this.#process = new Deno.Command(program, {
        args,
        cwd: folder,
        env: { ...env },
        stdin: stdin === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
        // On Windows it would leave the job that ends it with netdemo.
        detached: os !== "windows",
      }).spawn();
    } catch (cause) {
      throw startFailure(options, cause);
    }
    this.pid = this.#process.pid;
    this.stdout = new KeptOutput(this.#process.stdout, kept);
    this.stderr = new KeptOutput(this.#process.stderr, KEPT);
    if (stdin !== undefined) this.#feed(stdin);
    this.#process.status.then((status) => {
      this.ended = status;
      this.#changes.notify();
    });
    this.#maxMemory = maxMemory;
    this.#watchMemory();
  }

  /** Waits up to this many milliseconds for it to end; returns whether it has. */
  async endsWithin(milliseconds: number): Promise<boolean> {
    return await until(() => this.ended !== undefined, [this.#changes], milliseconds);
  }

  /** `your program ended (exit code 1)`; `undefined` unless it has ended or is about to. */
  async howItEnded(): Promise<string | undefined> {
    return await this.endsWithin(DYING_MS) ? `your program ${this.ending}` : undefined;
  }

  /** `ended (exit code 1)`, `was killed by SIGSEGV`. */
  get ending(): string {
    return this.#tookTooMuchMemory
      ? `used more than ${this.#maxMemory} MB of memory and was stopped`
      : endingOf(this.ended);
  }

  /** What it did that it must not do. */
  get offences(): readonly string[] {
    return [
      ...this.#tookTooMuchMemory ? [offences.memory] : [],
      ...this.stdout.total + this.stderr.total > MAX_PRINTED * 1e6 ? [offences.output] : [],
    ];
  }

  /** Sends a signal to the whole process group, as a terminal does. Windows has SIGKILL alone. */
  signal(signal: Deno.Signal): void {
    if (os === "windows") {
      if (signal === "SIGKILL") this.#killing = endTree(this.pid);
      return;
    }
    try {
      Deno.kill(-this.pid, signal);
    } catch {
      // No process is left.
    }
  }

  /** Ends it and its process group, as far as netdemo may, and closes its pipes. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#memoryTimer);
    this.signal("SIGKILL");
    await this.#killing;
    // One that became another user, as with sudo, can't be killed: it must not hold netdemo up.
    if (!await this.endsWithin(KILLED_MS)) this.#process.unref();
    // A full pipe that nobody reads accepts no end either.
    const fed = until(() => this.#isFed, [this.#changes], STDIN_MS);
    // A process that has left the group may hold the pipes open forever.
    await Promise.all([this.stdout.close(), this.stderr.close(), fed, this.#looking]);
  }

  /** Once it has ended, waits for what is left in the pipes, not for what others still print. */
  async printed(): Promise<void> {
    await Promise.all([this.stdout.drained(DRAIN_MS), this.stderr.drained(DRAIN_MS)]);
  }

  async #feed(text: string): Promise<void> {
    this.#isFed = false;
    const writer = this.#process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text)).catch(() => {});
    await writer.close().catch(() => {});
    this.#isFed = true;
    this.#changes.notify();
  }

  #watchMemory(): void {
    this.#memoryTimer = setTimeout(() => {
      if (this.ended !== undefined) return;
      this.#looking = usageOf(this.pid).then((usage) => {
        if ((usage?.memory ?? 0) > this.#maxMemory * 1e6) {
          this.#tookTooMuchMemory = true;
          this.signal("SIGKILL");
        } else if (this.ended === undefined && !this.#isStopped) this.#watchMemory();
      });
    }, MEMORY_LOOK_MS);
  }
}

/** `ended (exit code 1)`, `was killed by SIGSEGV`. */
export function endingOf(status: Deno.CommandStatus | undefined): string {
  if (status === undefined) return "is still running";
  if (status.signal !== null) {
    return `was killed by ${status.signal}${meanings[status.signal] ?? ""}`;
  }
  return `ended (exit code ${exitCodeWords(status.code)})`;
}

const meanings: Readonly<Record<string, string>> = {
  SIGSEGV: " (a pointer or an index went wrong)",
  SIGABRT: " (memory was overwritten, or an assertion failed)",
  SIGPIPE: " (it wrote to a connection that was gone)",
  SIGFPE: " (a division by zero)",
};

/**
 * Kills the processes with the mark in their environment until none is left: they may fork.
 *
 * @param own The process groups that were ended already.
 * @returns whether there was one that had left them.
 */
export async function endMarked(mark: string, own: ReadonlySet<number>): Promise<boolean> {
  let hasLeft = false;
  for (let round = 0; round < 20; round++) {
    const pids = await processesMarked(mark);
    if (pids.length === 0) break;
    hasLeft ||= (await processGroupsOf(pids)).some((group) => !own.has(group));
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
  return hasLeft;
}
