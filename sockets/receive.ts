import { errnoOf } from "./errno.ts";
import { retry, type RetryOptions } from "./retry.ts";
import type { DatagramSocket } from "./stream.ts";

/**
 * Bytes that hold any datagram: over IPv6 they may be slightly longer than over IPv4. A longer one
 * is cut on Unix, and fails the receive on Windows.
 */
const BUFFER_SIZE = 65_536;

/** What to do with datagrams, and when to stop. */
export interface ReceiveOptions extends Pick<RetryOptions, "signal" | "onFailure"> {
  /**
   * Takes a datagram. Its bytes are valid until the next one is received, which waits for the
   * promise that this returns, if any.
   */
  readonly take: (bytes: Uint8Array<ArrayBuffer>, from: Deno.Addr) => Promise<void> | undefined;
}

/**
 * Receives datagrams until the signal aborts, which also closes the socket. Never throws.
 *
 * All are received into one buffer: a new one for each would be a fifth as fast (`task bench --only
 * udp`).
 */
export async function receiveFrom(
  socket: DatagramSocket,
  { take, signal, onFailure }: ReceiveOptions,
): Promise<void> {
  if (signal.aborted) return socket.close();
  signal.addEventListener("abort", () => socket.close(), { once: true });
  const buffer = new Uint8Array(BUFFER_SIZE);
  await retry(async (succeeded) => {
    while (!signal.aborted) {
      const [bytes, from] = await socket.receive(buffer);
      succeeded();
      try {
        const taken = take(bytes, from);
        if (taken !== undefined) await taken;
      } catch (error) {
        reportError(error); // a bug, not a failure to receive
      }
    }
  }, { signal, onFailure, isHarmless: wasRefused });
}

/** How Windows reports, at the next receive, that an earlier datagram did not arrive. */
function wasRefused(error: unknown): boolean {
  return ["ECONNRESET", "ENETRESET"].includes(errnoOf(error) ?? "");
}
