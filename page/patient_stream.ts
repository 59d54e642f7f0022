const encoder = new TextEncoder();

/** How a {@linkcode patientStream} ends. */
export interface Patience {
  /** Milliseconds that the reader may take for each piece. */
  readonly patience: number;
  /** Called when the stream is over: read to its end, cancelled, or given up. */
  readonly over: () => void;
}

/**
 * Returns a stream that asks for each piece only once the previous one has been read, so nothing
 * piles up, and that fails if a piece is not read in time.
 *
 * @param next Returns the next piece; `undefined` at the end.
 */
export function patientStream(
  next: () => Promise<string | undefined>,
  { patience, over }: Patience,
): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    over();
  };
  const expectReading = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    timer = setTimeout(() => {
      end();
      controller.error(new Error("The reader does not read"));
    }, patience);
  };
  return new ReadableStream({
    start: expectReading,
    async pull(controller) {
      clearTimeout(timer);
      const piece = await next();
      if (isOver) return;
      if (piece === undefined) {
        end();
        return controller.close();
      }
      controller.enqueue(encoder.encode(piece));
      expectReading(controller);
    },
    cancel: end,
  }, { highWaterMark: 0 });
}
