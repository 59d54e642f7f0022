import { jsonLine } from "../../text/visible.ts";
import type { Event } from "./events.ts";
import { Output } from "./output.ts";

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
  return { stdout: new Output(Deno.stdout), stderr: new Output(Deno.stderr, "stderr") };
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
