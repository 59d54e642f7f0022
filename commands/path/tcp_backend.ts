import { acceptFrom } from "../../sockets/accept.ts";
import { Changes } from "../../sockets/changes.ts";
import type { Stream, StreamListener } from "../../sockets/stream.ts";
import { type End, endOf } from "./connection_pair.ts";
import { hasMarkOf, mayBeTag, TAG_LENGTH, tagOf } from "./tag.ts";

/** How many of a stray's first bytes are kept: more than a tag, to show what was done to one. */
const SAMPLE_LENGTH = 2 * TAG_LENGTH;

/**
 * The server behind the forwarder.
 *
 * It recognises connections by the tag that they begin with. A connection that begins with anything
 * else is a stray, such as a health check: it is counted, gets no answer, and is left open.
 */
export class TcpBackend implements Disposable {
  /** Notified when a connection arrives, is matched, or ends without being matched. */
  readonly changes = new Changes();
  /** The port it listens on. */
  readonly port: number;
  /** Resolves once it has stopped accepting. */
  readonly finished: Promise<unknown>;
  /** The first bytes of the last stray that sent any. */
  sample: Uint8Array | undefined;

  readonly #closed = new AbortController();
  /** Expected tags, each with its connection once that has arrived. */
  readonly #awaited = new Map<string, End | undefined>();
  /** Tags that are no longer expected. */
  readonly #forgotten = new Set<string>();
  /** Connections that have not yet sent a whole tag. */
  readonly #unmatched = new Set<End>();
  /** Connections not yet handed over. */
  readonly #own = new Set<End>();
  /** The first bytes of strays that begin like a tag. */
  #altered: Uint8Array[] = [];
  #strays = 0;

  constructor(listeners: readonly StreamListener[]) {
    const [first] = listeners;
    this.port = first === undefined || "path" in first.addr ? 0 : first.addr.port;
    const { signal } = this.#closed;
    const admit = (stream: Stream): void => void this.#match(stream);
    this.finished = Promise.all(
      listeners.map((listener) => acceptFrom(listener, { signal, admit })),
    );
  }

  /** Open connections that have sent nothing: one of them may be a waiting client. */
  get silent(): readonly End[] {
    return [...this.#unmatched].filter(({ pending, ending }) =>
      pending === 0 && ending === undefined
    );
  }

  /** Strays so far. */
  get strays(): number {
    return this.#strays + this.#unmatched.size;
  }

  /** Keeps the connection that begins with this tag, once it arrives, for {@linkcode arrived}. */
  expect(tag: string): void {
    this.#awaited.set(tag, undefined);
  }

  /** The connection that began with this tag, if it has arrived. The caller closes it. */
  arrived(tag: string): End | undefined {
    return this.#awaited.get(tag);
  }

  /** The first bytes of a connection that began almost like this tag, if one has arrived. */
  altered(tag: string): Uint8Array | undefined {
    return this.#altered.find((sample) => hasMarkOf(tag, sample));
  }

  /** Stops expecting a tag: a later connection with it is closed. */
  forget(tag: string): void {
    this.#awaited.delete(tag);
    this.#forgotten.add(tag);
    this.#altered = this.#altered.filter((sample) => !hasMarkOf(tag, sample));
  }

  /** Hands a silent connection over to the caller, who closes it. */
  adopt(end: End): void {
    this.#unmatched.delete(end);
    this.#own.delete(end);
  }

  /** Stops listening and closes the connections not handed over. May be called twice. */
  close(): void {
    this.#closed.abort();
    for (const end of this.#own) end.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Waits for enough of a connection's first bytes to identify it. Never throws. */
  async #match(stream: Stream): Promise<void> {
    const end = endOf(stream, "server");
    this.#own.add(end);
    this.#unmatched.add(end);
    this.changes.notify();
    while (mayBecomeOurs(end)) await end.changes.next;
    if (this.#unmatched.delete(end)) this.#assign(end);
    this.changes.notify();
  }

  #assign(end: End): void {
    const tag = tagOf(end.peek());
    if (this.#awaited.has(tag) && this.arrived(tag) === undefined) {
      end.take(TAG_LENGTH);
      this.#awaited.set(tag, end);
      this.#own.delete(end);
    } else if (this.#forgotten.has(tag)) {
      end.close();
    } else {
      this.#leaveAlone(end);
    }
  }

  /** Reads a stray to notice its end, and closes it then. */
  #leaveAlone(end: End): void {
    this.#strays++;
    const sample = end.take(SAMPLE_LENGTH);
    if (sample.length > 0) this.sample = sample;
    if (mayBeTag(sample)) this.#altered.push(sample);
    end.discard();
    end.finished.then(() => {
      end.close();
      this.#own.delete(end);
    });
  }
}

/** Whether a connection may still turn out to begin with a tag. */
function mayBecomeOurs(end: End): boolean {
  return end.ending === undefined && end.pending < TAG_LENGTH && mayBeTag(end.peek(TAG_LENGTH));
}
