import { readNumber } from "../../cli/arguments/flags.ts";
import { misuse } from "../../cli/errors/failure.ts";
import { Process, run } from "../harness/process.ts";

/** The result of a run of the load generator (load.c). Latencies are in microseconds. */
export interface Measured {
  readonly perSecond: number;
  readonly answers: number;
  /** Requests sent again because no datagram came back. */
  readonly lost: number;
  /** Share of a core that the generator used: at 1 it may be the bottleneck. */
  readonly generatorBusy: number;
  /** Answers of the connection that got the fewest, relative to the average. */
  readonly leastShare?: number;
  readonly kilobytesEach?: number;
  readonly micros: Latencies;
  /** Latencies for a client that does not wait for an answer before the next request. */
  readonly corrected: Latencies;
}

interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The flags of a benchmark, with their defaults. */
export function roundFlags(rounds: number, seconds: number) {
  return {
    rounds: {
      value: "N",
      about: "how often each is measured",
      default: rounds,
      read: readNumber(1, 1_000),
    },
    seconds: {
      value: "S",
      about: "how long each measurement takes",
      default: seconds,
      read: readSeconds,
    },
  };
}

function readSeconds(text: string, flag: string): number {
  if (Number(text) > 0) return Number(text);
  throw misuse(`${flag} must be a number over 0: received '${text}'`);
}

/** A server under load, ended with its scope. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Whether a program is installed; Deno's own substitute for a missing `node` does not count. */
export async function hasTool(name: string): Promise<boolean> {
  const { code, stdout } = await run(["/bin/sh", "-c", 'command -v "$0"', name]);
  return code === 0 && !stdout.includes("node_compat_bin");
}

/** Compiles the load generator into the folder; returns its path. @throws {Error} without a C compiler. */
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

/** Runs the load generator. @throws {Error} with its message, if an answer was wrong. */
export async function runLoad(
  load: string,
  { port }: Target,
  args: readonly string[],
): Promise<Measured> {
  const { code, stdout, stderr } = await run([load, ...args, "-p", String(port)]);
  if (code !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout);
}
