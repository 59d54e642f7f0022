/** The start of every reply that is an error. */
export const ERROR_PREFIX = "Error: ";

/** Maximum bytes of an error reply, so that quoted requests can't be used for a flood. */
export const MAX_ERROR_LENGTH = 64;

/** An error reply that quotes part of a request, cut to {@linkcode MAX_ERROR_LENGTH} bytes. */
export function quotingError(before: string, quoted: string, after: string): string {
  const encoder = new TextEncoder();
  const frame = `${ERROR_PREFIX}${before}''${after}`;
  const room = MAX_ERROR_LENGTH - frame.length;
  if (encoder.encode(quoted.slice(0, room + 1)).length > room) {
    const kept = new Uint8Array(room - "...".length);
    const { read } = encoder.encodeInto(quoted, kept);
    quoted = `${quoted.slice(0, read)}...`;
  }
  return `${ERROR_PREFIX}${before}'${quoted}'${after}`;
}
