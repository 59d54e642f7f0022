import { errnoOf, Failure, type FailureKind } from "../protocol/failure.ts";
import { Output } from "./output.ts";
import { jsonLine, visible } from "./visible.ts";

/** Exit codes by the kind of failure. */
export const exitCodes: Readonly<Record<FailureKind, number>> = {
  ERROR: 1,
  USAGE: 2,
  DNS: 10,
  REFUSED: 11,
  UNREACHABLE: 12,
  RESET: 13,
  CLOSED: 14,
  BIND: 15,
  TIMEOUT: 124,
};

/** What a process ends with whose stdout is closed by its reader: 128 + SIGPIPE, as shells have it. */
const EXIT_BROKEN_PIPE = 141;

/** Milliseconds that the end of a command waits for a reader that does not read. */
export const PATIENCE_MS = 500;

/** What to do next, for those kinds of failure that say the same wherever they happen. */
const hints: Partial<Record<FailureKind, string>> = {
  USAGE: "netdemo help lists the commands",
  DNS: "check the spelling, or give an IP address",
  UNREACHABLE: "this host has no route to that address: check the network and --host",
  RESET: "the peer may have crashed, may be no netdemo server, or a firewall cut the connection",
  CLOSED: "the server may have stopped or met its limits: look at what it printed",
  TIMEOUT: "a firewall may drop packets, or the peer is no such server; --timeout 30s waits longer",
};

/** The two channels of a command. */
export interface Channels {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** The channels of this process. */
export function openChannels(): Channels {
  return { stdout: new Output(Deno.stdout), stderr: new Output(Deno.stderr) };
}

/** Whatever was thrown, as a failure that can be told. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const why = error instanceof Error ? error.message : String(error);
  // What goes wrong with a socket or a file is a Failure already.
  return /^E[A-Z]+$/.test(errnoOf(error) ?? "")
    ? new Failure("ERROR", `cannot write to stdout: ${why}`, { hint: "nothing more was printed" })
    : new Failure("ERROR", `unexpected: ${why}`, { hint: "this is a mistake in netdemo" });
}

/**
 * Tells a failure on stderr, and with `json` on stdout as well.
 *
 * @returns the exit code.
 */
export function reportFailure(error: unknown, channels: Channels, json = false): number {
  if (errnoOf(error) === "EPIPE") return EXIT_BROKEN_PIPE;
  const { kind, message, hint = hints[kind] } = asFailure(error);
  channels.stderr.line(`netdemo: ${kind}: ${visible(message)}`);
  if (hint !== undefined) channels.stderr.line(`hint: ${visible(hint)}`);
  const exitCode = exitCodes[kind];
  if (json) channels.stdout.line(jsonLine({ ok: false, failure: kind, exitCode, message, hint }));
  return exitCode;
}
