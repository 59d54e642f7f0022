const encoder = new TextEncoder();

/** Buffers of one size that are used over and over, so that each use makes no garbage. */
export class BufferPool {
  readonly #size: number;
  readonly #kept: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /**
   * @param size Bytes of a buffer.
   * @param kept How many are kept that nobody uses.
   */
  constructor(size: number, kept: number) {
    this.#size = size;
    this.#kept = kept;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.#size);
  }

  /** Takes back what {@linkcode take} or {@linkcode encode} gave; what else is passed over. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength !== this.#size || this.#free.length === this.#kept) return;
    this.#free.push(new Uint8Array(buffer));
  }

  /** The text as bytes, in a buffer to be given back once they are sent. */
  encode(text: string): Uint8Array<ArrayBuffer> {
    if (text.length * 3 > this.#size) return encoder.encode(text); // it may not fit
    const buffer = this.take();
    const { written } = encoder.encodeInto(text, buffer);
    return buffer.subarray(0, written);
  }
}
