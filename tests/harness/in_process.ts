import { Output } from "../../cli/output/output.ts";
import { main } from "../../main.ts";
import { assertEvents, type Ended, executable, netdemo, netdemoCommand } from "./process.ts";

/**
 * Runs netdemo to its end within this process: some 40 ms faster than
 * {@linkcode netdemo}, and anything a command leaves open fails the test.
 *
 * For commands that end by themselves and use neither stdin nor the terminal.
 * An executable under test still runs in a process of its own.
 */
export async function netdemoInProcess(args: readonly string[]): Promise<Ended> {
  if (executable !== undefined) return await netdemo(args);
  const [stdout, stderr] = [new Recorder(), new Recorder()];
  const code = await main(args, { stdout: new Output(stdout), stderr: new Output(stderr) });
  assertEvents([...netdemoCommand, ...args], stdout.text);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Keeps what is written to it. */
class Recorder {
  text = "";
  readonly #decoder = new TextDecoder();

  write(bytes: Uint8Array): Promise<number> {
    this.text += this.#decoder.decode(bytes, { stream: true });
    return Promise.resolve(bytes.length);
  }
}
