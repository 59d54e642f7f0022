import { errnoOf } from "../sockets/errno.ts";
import { jsonLine, visible } from "../text/visible.ts";
import type { Event } from "./events.ts";
import { asFailure, exitCodes, type Failure } from "./failure.ts";
import { Output } from "./output.ts";

/** What a process ends with whose stdout is closed by its reader: 128 + SIGPIPE, as shells have it. */
const EXIT_BROKEN_PIPE = 141;

/** Milliseconds that the end of a command waits for a reader that does not read. */
export const PATIENCE_MS = 500;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The two channels of a command. */
export interface Channels {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** The channels of this process. */
export function openChannels(): Channels {
  return { stdout: new Output(Deno.stdout), stderr: new Output(Deno.stderr) };
}

/** An event as its line of `--json`. */
export function eventLine(event: Event): string {
  return jsonLine(event);
}

/** Bytes as events have them: as text, or as base64 where they are not UTF-8. */
export function dataFields(
  data: Uint8Array,
): { readonly bytes: number; readonly data?: string; readonly base64?: string } {
  const bytes = data.length;
  try {
    return { bytes, data: strict.decode(data) };
  } catch {
    return { bytes, base64: data.toBase64() };
  }
}

/** Milliseconds as events have them: to a thousandth, as more is noise. */
export function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

/** Prints a failure on stderr: what could not be done, and what to do next. */
export async function printFailure(
  { kind, message, hint }: Failure,
  { stderr }: Channels,
): Promise<void> {
  const lines = [`netdemo: ${kind}: ${visible(message)}`];
  if (hint !== undefined) lines.push(`hint: ${visible(hint)}`);
  // Programs that read stderr find each on one line; people see words that are whole.
  const shown = Deno.stderr.isTerminal()
    ? (await import("./failure_lines.ts")).failureLines(lines)
    : lines;
  for (const line of shown) stderr.line(line);
}

/**
 * Reports a failure on stderr, and with `json` on stdout as well.
 *
 * @returns the exit code.
 */
export async function reportFailure(
  error: unknown,
  channels: Channels,
  json = false,
): Promise<number> {
  if (errnoOf(error) === "EPIPE") return EXIT_BROKEN_PIPE;
  const failure = asFailure(error);
  await printFailure(failure, channels);
  const { kind, message, hint } = failure;
  const exitCode = exitCodes[kind];
  if (json) {
    channels.stdout.line(
      eventLine({ event: "failure", failure: kind, exitCode, message, hint }),
    );
  }
  return exitCode;
}
