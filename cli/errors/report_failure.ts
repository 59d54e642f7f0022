import { errnoOf } from "../../sockets/errno.ts";
import { visible } from "../../text/visible.ts";
import { type Channels, eventLine } from "../output/channels.ts";
import { asFailure, type Failure } from "./failure.ts";

/** Exit code if the reader of stdout is gone, as in shells: 128 + SIGPIPE. */
const EXIT_BROKEN_PIPE = 141;

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
  const { kind, message, hint, exitCode } = failure;
  if (json) {
    channels.stdout.line(
      eventLine({ event: "failure", failure: kind, exitCode, message, hint }),
    );
  }
  return exitCode;
}

/** Prints a failure on stderr: what could not be done, and what to do next. */
export async function printFailure(
  { kind, message, hint, excerpt }: Failure,
  channels: Channels,
): Promise<void> {
  const lines = [
    `netdemo: ${kind}: ${visible(message)}`,
    ...excerpt.map((line) => `  ${visible(line)}`),
  ];
  await printLines(hint === undefined ? lines : [...lines, hintLine(hint)], channels);
}

/** Prints on stderr what to do next, where the rest has been said. */
export async function printHint(hint: string, channels: Channels): Promise<void> {
  await printLines([hintLine(hint)], channels);
}

const hintLine = (hint: string): string => `hint: ${visible(hint)}`;

async function printLines(lines: readonly string[], { stderr }: Channels): Promise<void> {
  // A program reads each from one line; at a terminal they are wrapped between words.
  const shown = Deno.stderr.isTerminal()
    ? (await import("./failure_lines.ts")).failureLines(lines)
    : lines;
  for (const line of shown) stderr.line(line);
}
