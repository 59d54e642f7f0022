import { errnoOf } from "../../sockets/errno.ts";
import { jsonLine, visible } from "../../text/visible.ts";
import type { Event } from "./events.ts";
import { asFailure, exitCodes, type Failure } from "../errors/failure.ts";
import { Output } from "./output.ts";

/** Exit code if the reader of stdout is gone, as in shells: 128 + SIGPIPE. */
const EXIT_BROKEN_PIPE = 141;

/** Milliseconds that a command waits at its end for a stalled reader. */
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

/** Formats an event as a line of `--json`. */
export function eventLine(event: Event): string {
  return jsonLine(event);
}

/** Returns the fields for bytes in an event: text, or base64 if they are not UTF-8. */
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

/** Rounds milliseconds for an event, to a thousandth: more is noise. */
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
  // A program reads each from one line; at a terminal they are wrapped between words.
  const shown = Deno.stderr.isTerminal()
    ? (await import("../errors/failure_lines.ts")).failureLines(lines)
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
