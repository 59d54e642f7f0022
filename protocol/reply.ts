/** How every reply begins that is an error and not an answer. */
export const ERROR_PREFIX = "Error: ";

/** Bytes that an error reply has at most, so that what was asked can't be thrown back as a flood. */
export const MAX_ERROR_LENGTH = 64;

/** An error that quotes what was sent, cut to {@linkcode MAX_ERROR_LENGTH} bytes. */
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
