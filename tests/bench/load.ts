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
  const args = ["-c", 'command -v "$0"', name];
  const { success, stdout } = await new Deno.Command("/bin/sh", { args }).output();
  return success && !new TextDecoder().decode(stdout).includes("node_compat_bin");
}

/** Compiles the load generator into the folder; gives its path. @throws {Error} without a C compiler. */
export async function buildLoad(folder: string): Promise<string> {
  const path = `${folder}/load`;
  const { success, stderr } = await new Deno.Command("cc", {
    args: ["-O2", "-o", path, `${import.meta.dirname}/load.c`],
  }).output();
  if (!success) throw new Error(`Cannot compile load.c: ${new TextDecoder().decode(stderr)}`);
  return path;
}

/** Starts a server that prints its port, alone on a line or after a colon. */
export async function start(
  [program = "", ...args]: readonly string[],
  env: Record<string, string> = {},
): Promise<Target> {
  const child = new Deno.Command(program, { args, env, stdout: "piped", stderr: "inherit" })
    .spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  let port: string | undefined;
  while (port === undefined) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot start ${program}: it ended after '${printed}'`);
    printed += value;
    port = /(?:^|127\.0\.0\.1:)(\d+)\s/m.exec(printed)?.[1];
  }
  return {
    port: Number(port),
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Runs the load generator. @throws {Error} with what it said, if an answer was wrong. */
export async function runLoad(
  load: string,
  { port }: Target,
  args: readonly string[],
): Promise<Measured> {
  const { success, stdout, stderr } = await new Deno.Command(load, {
    args: [...args, "-p", String(port)],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return JSON.parse(new TextDecoder().decode(stdout));
}
