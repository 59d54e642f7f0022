const encoder = new TextEncoder();

/** Reuses buffers of one size, so that they don't become garbage after each use. */
export class BufferPool {
  readonly #size: number;
  readonly #kept: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /**
   * @param size Bytes of a buffer.
   * @param kept How many unused buffers to keep.
   */
  constructor(size: number, kept: number) {
    this.#size = size;
    this.#kept = kept;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.#size);
  }

  /** Takes back a buffer from {@linkcode take} or {@linkcode encode}; ignores any other. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength !== this.#size || this.#free.length === this.#kept) return;
    this.#free.push(new Uint8Array(buffer));
  }

  /** Encodes the text as UTF-8 into a buffer; give it back once it is sent. */
  encode(text: string): Uint8Array<ArrayBuffer> {
    if (text.length * 3 > this.#size) return encoder.encode(text); // it may not fit
    const buffer = this.take();
    const { written } = encoder.encodeInto(text, buffer);
    return buffer.subarray(0, written);
  }
}
