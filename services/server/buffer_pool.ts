/** Bytes of a buffer. */
const SIZE = 4_096;
/** How many are kept that nobody uses: more than a turn of the event loop has in flight. */
const KEPT = 256;

const encoder = new TextEncoder();

/**
 * Buffers that replies are encoded into, used over and over: an encoder that
 * makes a new one each time takes four times as long. A connection holds one
 * only while it writes, so an idle one costs nothing.
 */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  /** The text as bytes, in a buffer to be given back once they are sent. */
  encode(text: string): Uint8Array {
    if (text.length * 3 > SIZE) return encoder.encode(text); // it may not fit
    const buffer = this.#free.pop() ?? new Uint8Array(SIZE);
    const { written } = encoder.encodeInto(text, buffer);
    return buffer.subarray(0, written);
  }

  /** Takes back what {@linkcode encode} gave. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.buffer.byteLength !== SIZE || this.#free.length === KEPT) return;
    this.#free.push(new Uint8Array(bytes.buffer));
  }
}
