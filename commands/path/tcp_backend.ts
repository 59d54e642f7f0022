import { acceptFrom } from "../../sockets/accept.ts";
import { Changes, until } from "../../sockets/changes.ts";
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
export class TcpBackend {
  /** Notified when a connection arrives, is matched, or ends without being matched. */
  readonly changes = new Changes();
  /** Resolves once it has stopped accepting. */
  readonly finished: Promise<unknown>;
  /** The first bytes of the last stray that sent any. */
  sample: Uint8Array | undefined;

  readonly #closed = new AbortController();
  /** Expected tags, each with its connection once that has arrived. */
  readonly #awaited = new Map<string, End | undefined>();
  /** Tags that are no longer expected: a connection that begins with one came too late. */
  readonly #forgotten = new Set<string>();
  /** Connections that have not yet sent a whole tag. */
  readonly #unmatched = new Set<End>();
  /** Connections not yet handed over. */
  readonly #own = new Set<End>();
  /** The first bytes of strays that begin like a tag. */
  #altered: Uint8Array[] = [];
  #strays = 0;

  constructor(listeners: readonly StreamListener[]) {
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

  /**
   * Waits for the connection that begins with a tag. The caller closes it.
   *
   * @param client The wait ends when its input does.
   * @returns what came instead, if that one did not arrive: the first bytes of a stray, if any.
   */
  async arrival(tag: string, client: End, timeout: number): Promise<End | Uint8Array | undefined> {
    const { sample } = this;
    this.#awaited.set(tag, undefined);
    const arrived = (): End | undefined => this.#awaited.get(tag);
    const altered = (): Uint8Array | undefined =>
      this.#altered.find((bytes) => hasMarkOf(tag, bytes));
    const isOver = (): boolean => (arrived() ?? altered() ?? client.ending) !== undefined;
    await until(isOver, [this.changes, client.changes], timeout);
    const came = arrived() ?? altered() ?? (this.sample === sample ? undefined : this.sample);
    this.#awaited.delete(tag);
    this.#forgotten.add(tag);
    this.#altered = this.#altered.filter((bytes) => bytes !== came);
    return came;
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
    if (this.#awaited.has(tag) && this.#awaited.get(tag) === undefined) {
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
