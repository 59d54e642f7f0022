import { Process, run } from "../harness/process.ts";

/** What a run of the load generator (load.c) gave. Latencies are in microseconds. */
export interface Measured {
  readonly perSecond: number;
  readonly answers: number;
  /** Datagrams that were asked again. */
  readonly lost: number;
  /** Share of a core that the generator used: at 1 it may have been the limit. */
  readonly generatorBusy: number;
  /** Answers of the connection that got the fewest, against the average. */
  readonly leastShare?: number;
  readonly kilobytesEach?: number;
  readonly micros: Latencies;
  /** As a client would see it that does not wait for the answer before it asks again. */
  readonly corrected: Latencies;
}

interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** A server under load. It is ended with its scope. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Whether a program is installed; Deno itself, which takes the place of a missing `node`, is not it. */
export async function hasTool(name: string): Promise<boolean> {
  const { code, stdout } = await run(["/bin/sh", "-c", 'command -v "$0"', name]);
  return code === 0 && !stdout.includes("node_compat_bin");
}

/** Compiles the load generator into the folder; gives its path. @throws {Error} without a C compiler. */
export async function buildLoad(folder: string): Promise<string> {
  const path = `${folder}/load`;
  const { code, stderr } = await run(["cc", "-O2", "-o", path, `${import.meta.dirname}/load.c`]);
  if (code !== 0) throw new Error(`Cannot compile load.c: ${stderr}`);
  return path;
}

/** Starts a server that prints its port, alone on a line or after a colon. */
export async function start(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const process = new Process(command, { env });
  const [, port] = await process.printed(/(?:^|127\.0\.0\.1:)(\d+)\s/m);
  return {
    port: Number(port),
    pid: process.pid,
    async [Symbol.asyncDispose]() {
      await process.stop();
    },
  };
}

/** Runs the load generator. @throws {Error} with what it said, if an answer was wrong. */
export async function runLoad(
  load: string,
  { port }: Target,
  args: readonly string[],
): Promise<Measured> {
  const { code, stdout, stderr } = await run([load, ...args, "-p", String(port)]);
  if (code !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout);
}
