import { Changes } from "../../sockets/changes.ts";
import type { Call } from "./call.ts";

/** Maximum number of requests that wait for their answers at a time. */
const WINDOW = 1_024;
/** Maximum characters in them together, unless there is only one. */
const WINDOW_SIZE = 1_048_576;

/** One request with its reply. */
export interface Answer {
  readonly request: string;
  readonly reply: string;
  /** Milliseconds from sending the request to receiving the reply. */
  readonly elapsedMs: number;
  /** Whether the stream ended with the reply, which may then be incomplete. */
  readonly ended: boolean;
}

interface Waiting {
  readonly request: string;
  readonly sentAt: number;
}

/**
 * Sends one request and waits for its reply.
 *
 * @throws {SocketFailure} as {@linkcode Call.receive} does.
 */
export async function ask(call: Call, request: string): Promise<Answer> {
  const sentAt = performance.now();
  // A peer may answer before it has read all of a long request.
  const [, [reply = ""]] = await Promise.all([call.send([request]), call.receive()]);
  return { request, reply, elapsedMs: performance.now() - sentAt, ended: call.ended };
}

/**
 * Sends requests as they arrive, without waiting for earlier answers, and
 * delivers the answers in order.
 *
 * At most 1,024 requests wait for their answers at a time, so memory stays
 * bounded. The first is sent alone: only a peer that ended its reply with LF can
 * separate several requests; any other gets one at a time.
 *
 * @param answered Takes the answers that arrived together; later ones wait for it.
 * @throws {SocketFailure} as {@linkcode Call.receive} does, or what `requests` or `answered` throws.
 */
export async function pipeline(
  call: Call,
  requests: AsyncIterable<readonly string[]>,
  answered: (answers: readonly Answer[]) => Promise<void>,
): Promise<void> {
  const waiting: Waiting[] = [];
  let waitingSize = 0;
  let allSent = false;
  let failed: { readonly error: unknown } | undefined;
  /** Wakes the side that is waiting: the sender for room, the receiver for a request. */
  const changes = new Changes();

  function hasRoom(): boolean {
    if (waiting.length === 0) return true;
    return call.framed && waiting.length < WINDOW && waitingSize < WINDOW_SIZE;
  }

  /** A failure to get requests ends the sending; earlier ones are still answered. */
  async function sendAll(): Promise<void> {
    try {
      await sendEach();
    } catch (error) {
      failed = { error };
    }
    allSent = true;
    changes.notify();
  }

  async function sendEach(): Promise<void> {
    for await (const batch of requests) {
      let sent = 0;
      while (sent < batch.length) {
        const next: string[] = [];
        const sentAt = performance.now();
        for (; sent < batch.length && hasRoom(); sent++) {
          const request = batch[sent] ?? "";
          next.push(request);
          waiting.push({ request, sentAt });
          waitingSize += request.length;
        }
        if (next.length === 0) {
          await changes.next;
          continue;
        }
        const sending = call.send(next);
        changes.notify();
        await sending;
      }
    }
  }

  async function receiveAll(): Promise<void> {
    while (!allSent || waiting.length > 0) {
      if (waiting.length === 0) {
        await changes.next;
        continue;
      }
      const replies = await call.receive();
      const now = performance.now();
      const answers = waiting.splice(0, replies.length).map(({ request, sentAt }, index) => ({
        request,
        reply: replies[index] ?? "",
        elapsedMs: now - sentAt,
        ended: call.ended,
      }));
      for (const { request } of answers) waitingSize -= request.length;
      await answered(answers);
      changes.notify();
    }
  }

  await Promise.all([sendAll(), receiveAll()]);
  if (failed !== undefined) throw failed.error;
}
