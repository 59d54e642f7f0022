/** Bytes from which a buffer is worth freeing early. */
const MIN_FREED = 4_096;

/**
 * Frees the memory of bytes that fill a large buffer, at once: the garbage collector lets many pile
 * up before it does. The bytes can't be used any more.
 */
export function freeBuffer({ buffer, length }: Uint8Array): void {
  if (length < MIN_FREED || buffer.byteLength !== length) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
