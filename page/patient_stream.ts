const encoder = new TextEncoder();

/** How a {@linkcode patientStream} ends. */
export interface Patience {
  /** Milliseconds that the reader may take for each piece. */
  readonly patience: number;
  /** The stream is over: read to its end, left by its reader, or given up. */
  readonly over: () => void;
}

/**
 * A stream that asks for each piece only once the one before has been taken, so nothing piles up
 * for its reader, and that fails if a piece is not taken in time.
 *
 * @param next Gives the next piece; `undefined` at the end.
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
