import { type Ended, Process } from "./process.ts";
import { until } from "./system.ts";

/** A system call recorded by strace. */
export interface SystemCall {
  /** Start of the call, in seconds since 1970. */
  readonly time: number;
  readonly name: string;
  /** The arguments, as strace writes them. */
  readonly args: string;
  /** The result: a number, or `-1 EAGAIN (...)`; ends in `(INJECTED)` if strace made the call fail. */
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

  /** The system calls of all threads so far, in order. */
  calls(): SystemCall[] {
    return [...Deno.readDirSync(this.#folder)]
      .flatMap(({ name }) => callsOf(Deno.readTextFileSync(`${this.#folder}/${name}`)))
      .sort((one, other) => one.time - other.time);
  }

  /** Waits for the end of the program, and until strace has written its whole log. */
  async ended(): Promise<Ended> {
    const ended = await this.process.ended();
    // strace logs the end of a program's first thread last.
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
