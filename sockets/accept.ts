import { retry, type RetryOptions } from "./retry.ts";
import type { Stream, StreamListener } from "./stream.ts";

/** What to do with connections, and when to stop. */
export interface AcceptOptions extends Pick<RetryOptions, "signal" | "onFailure"> {
  /** Takes a connection, and closes it in the end. */
  readonly admit: (stream: Stream) => void;
}

/**
 * Accepts connections until the signal aborts, which also closes the listener. Never throws.
 *
 * A `for await` would end at the first connection that was reset before it was accepted. After any
 * other failure it accepts again after a wait: without one, a process that has run out of
 * descriptors would do nothing else.
 */
export async function acceptFrom(
  listener: StreamListener,
  { admit, signal, onFailure }: AcceptOptions,
): Promise<void> {
  if (signal.aborted) return listener.close();
  signal.addEventListener("abort", () => listener.close(), { once: true });
  await retry(async (succeeded) => {
    while (!signal.aborted) {
      const stream = await listener.accept();
      succeeded();
      try {
        admit(stream);
      } catch (error) {
        stream.close();
        reportError(error); // a bug, not a failure to accept
      }
    }
  }, { signal, onFailure, isHarmless: wasReset });
}

/** Whether a connection was gone before it was accepted. */
function wasReset(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}
