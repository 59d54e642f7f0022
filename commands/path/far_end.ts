import type { Stream, StreamListener } from "../../sockets/stream.ts";
import { Changes, pause } from "./changes.ts";
import { ConnectionEnd } from "./connection_end.ts";
import { mayBeTag, TAG_LENGTH } from "./tag.ts";

/** Milliseconds to wait after a failed accept. */
const ACCEPT_PAUSE_MS = 50;
/** How many of a stray's first bytes are kept. */
const SAMPLE_LENGTH = 32;

const decoder = new TextDecoder();

/**
 * The server behind the forwarder.
 *
 * It recognises connections by the tag that they begin with. A connection that begins with anything
 * else is a stray, such as a health check: it is counted, gets no answer, and is left open.
 */
export class FarEnd implements Disposable {
  /** Notified when a connection arrives, is matched, or ends without being matched. */
  readonly changes = new Changes();

  /** Resolves once it has stopped accepting. */
  readonly finished: Promise<void>;

  readonly #listeners: readonly StreamListener[];
  /** Expected tags, each with its connection once that has arrived. */
  readonly #awaited = new Map<string, ConnectionEnd | undefined>();
  /** Tags that are no longer expected. */
  readonly #forgotten = new Set<string>();
  /** Connections that have not yet sent a whole tag. */
  readonly #unmatched = new Set<ConnectionEnd>();
  /** Connections not yet handed over. */
  readonly #own = new Set<ConnectionEnd>();
  #strayBytes: Uint8Array | undefined;
  #strayCount = 0;
  #closed = false;

  constructor(listeners: readonly StreamListener[]) {
    this.#listeners = listeners;
    const accepting = listeners.map((listener) => this.#acceptFrom(listener));
    this.finished = Promise.all(accepting).then(() => {});
  }

  /** Open connections that have sent nothing: one of them may be a waiting client. */
  get silent(): readonly ConnectionEnd[] {
    return [...this.#unmatched].filter(({ pending, ending }) =>
      pending === 0 && ending === undefined
    );
  }

  /** The port it listens on. */
  get port(): number {
    const [listener] = this.#listeners;
    return listener === undefined || "path" in listener.addr ? 0 : listener.addr.port;
  }

  /** Strays so far. */
  get strayCount(): number {
    return this.#strayCount + this.#unmatched.size;
  }

  /** The first bytes of the last stray that sent any. */
  get strayBytes(): Uint8Array | undefined {
    return this.#strayBytes;
  }

  /** Keeps the connection that begins with this tag, once it arrives, for {@linkcode arrived}. */
  expect(tag: string): void {
    this.#awaited.set(tag, undefined);
  }

  /** The connection that began with this tag, if it has arrived. The caller closes it. */
  arrived(tag: string): ConnectionEnd | undefined {
    return this.#awaited.get(tag);
  }

  /** Stops expecting a tag: a later connection with it is closed. */
  forget(tag: string): void {
    this.#awaited.delete(tag);
    this.#forgotten.add(tag);
  }

  /** Hands a silent connection over to the caller, who closes it. */
  adopt(end: ConnectionEnd): void {
    this.#unmatched.delete(end);
    this.#own.delete(end);
  }

  /** Stops listening and closes the connections not handed over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener.close();
    for (const end of this.#own) end.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #acceptFrom(listener: StreamListener): Promise<void> {
    while (!this.#closed) {
      try {
        this.#match(await listener.accept());
      } catch {
        if (!this.#closed) await pause(ACCEPT_PAUSE_MS);
      }
    }
  }

  /** Waits for enough of a connection's first bytes to identify it. Never throws. */
  async #match(stream: Stream): Promise<void> {
    const end = new ConnectionEnd(stream, "server");
    this.#own.add(end);
    this.#unmatched.add(end);
    this.changes.notify();
    while (mayBecomeOurs(end)) await end.changes.next;
    if (this.#unmatched.delete(end)) this.#assign(end);
    this.changes.notify();
  }

  #assign(end: ConnectionEnd): void {
    const tag = decoder.decode(end.peek(TAG_LENGTH));
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
  #leaveAlone(end: ConnectionEnd): void {
    this.#strayCount++;
    const sample = end.take(SAMPLE_LENGTH);
    if (sample.length > 0) this.#strayBytes = sample;
    end.discard();
    end.finished.then(() => {
      end.close();
      this.#own.delete(end);
    });
  }
}

/** Whether a connection may still turn out to begin with a tag. */
function mayBecomeOurs(end: ConnectionEnd): boolean {
  return end.ending === undefined && end.pending < TAG_LENGTH && mayBeTag(end.peek(TAG_LENGTH));
}
