import type { Stream } from "./stream.ts";

/**
 * Writes all of the bytes: one write may take only a part of them.
 *
 * @param onWrite Called before each write.
 * @throws {Error} with the errno name as its `code`.
 */
export async function writeAll(
  stream: Pick<Stream, "write">,
  bytes: Uint8Array,
  onWrite?: () => void,
): Promise<void> {
  while (bytes.length > 0) {
    onWrite?.();
    bytes = bytes.subarray(await stream.write(bytes));
  }
}
