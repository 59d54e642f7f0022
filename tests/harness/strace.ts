import { type Ended, Process } from "./process.ts";
import { until } from "./system.ts";

/** A system call, as strace saw it. */
export interface SystemCall {
  /** Seconds since 1970 at which it was made. */
  readonly time: number;
  readonly name: string;
  /** Its arguments, as strace writes them. */
  readonly args: string;
  /** What it returned: a number, or `-1 EAGAIN (...)`; ends in `(INJECTED)` if strace made it fail. */
  readonly result: string;
}

/** A program under strace. It is killed, and its log removed, with its scope. */
export class Straced implements AsyncDisposable {
  readonly process: Process;
  readonly #folder = Deno.makeTempDirSync({ prefix: "strace-" });

  /** @param expressions What to trace and what to make fail, as `strace -e` takes them. */
  constructor(expressions: readonly string[], command: readonly string[]) {
    this.process = new Process([
      // -ff: a file for each thread, or the lines of several would interleave.
      // -D: the program is the child, not strace, so that a signal reaches it.
      ...["strace", "-D", "-ff", "-ttt", "-o", `${this.#folder}/log`],
      ...expressions.flatMap((expression) => ["-e", expression]),
      ...command,
    ]);
  }

  /** The system calls up to now, of all threads, in the order in which they were made. */
  calls(): SystemCall[] {
    return [...Deno.readDirSync(this.#folder)]
      .flatMap(({ name }) => callsOf(Deno.readTextFileSync(`${this.#folder}/${name}`)))
      .sort((one, other) => one.time - other.time);
  }

  /** Waits for the end, and until strace has written all that the program did. */
  async ended(): Promise<Ended> {
    const ended = await this.process.ended();
    // A program's first thread is the last that strace sees end.
    const first = `${this.#folder}/log.${this.process.pid}`;
    await until(() => /\+\+\+.*\n$/.test(Deno.readTextFileSync(first)), "strace has ended");
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.ended();
    await this.process[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function callsOf(log: string): SystemCall[] {
  return [...log.matchAll(/^([\d.]+) (\w+)\((.*)\)\s+= (.*)$/gm)].map(
    ([, time, name = "", args = "", result = ""]) => ({ time: Number(time), name, args, result }),
  );
}
