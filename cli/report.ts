import { errnoOf } from "../sockets/errno.ts";
import { jsonLine, visible } from "../text/visible.ts";
import { asFailure, exitCodes } from "./failure.ts";
import { Output } from "./output.ts";

/** What a process ends with whose stdout is closed by its reader: 128 + SIGPIPE, as shells have it. */
const EXIT_BROKEN_PIPE = 141;

/** Milliseconds that the end of a command waits for a reader that does not read. */
export const PATIENCE_MS = 500;

/** The two channels of a command. */
export interface Channels {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** The channels of this process. */
export function openChannels(): Channels {
  return { stdout: new Output(Deno.stdout), stderr: new Output(Deno.stderr) };
}

/**
 * Reports a failure on stderr, and with `json` on stdout as well.
 *
 * @returns the exit code.
 */
export function reportFailure(error: unknown, channels: Channels, json = false): number {
  if (errnoOf(error) === "EPIPE") return EXIT_BROKEN_PIPE;
  const { kind, message, hint } = asFailure(error);
  channels.stderr.line(`netdemo: ${kind}: ${visible(message)}`);
  if (hint !== undefined) channels.stderr.line(`hint: ${visible(hint)}`);
  const exitCode = exitCodes[kind];
  if (json) channels.stdout.line(jsonLine({ ok: false, failure: kind, exitCode, message, hint }));
  return exitCode;
}
