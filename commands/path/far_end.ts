import type { Stream, StreamListener } from "../../sockets/stream.ts";
import { Changes, pause } from "./changes.ts";
import { ConnectionEnd } from "./connection_end.ts";
import { mayBeTag, TAG_LENGTH } from "./tag.ts";

/** Milliseconds before the next try to accept, when one has failed. */
const ACCEPT_PAUSE_MS = 50;
/** First bytes of a stray that are kept. */
const SAMPLE_LENGTH = 32;

const decoder = new TextDecoder();

/**
 * The server behind the forwarder.
 *
 * It recognises connections by the tag that they begin with. One that begins with anything else
 * is a stray, such as a health check: it is counted, gets no answer, and is left open.
 */
export class FarEnd implements Disposable {
  /** Notified when a connection comes, is matched, or ends without being matched. */
  readonly changes = new Changes();

  /** Resolves once nothing is accepted any more. */
  readonly finished: Promise<void>;

  readonly #listeners: readonly StreamListener[];
  /** Tags that somebody waits for, each with its connection once that is there. */
  readonly #awaited = new Map<string, ConnectionEnd | undefined>();
  /** Tags that nobody waits for any more. */
  readonly #forgotten = new Set<string>();
  /** Connections that have not sent a whole tag yet. */
  readonly #unmatched = new Set<ConnectionEnd>();
  /** Connections that nobody has taken. */
  readonly #own = new Set<ConnectionEnd>();
  #strayBytes: Uint8Array | undefined;
  #strayCount = 0;
  #closed = false;

  constructor(listeners: readonly StreamListener[]) {
    this.#listeners = listeners;
    const accepting = listeners.map((listener) => this.#acceptFrom(listener));
    this.finished = Promise.all(accepting).then(() => {});
  }

  /** Connections that are open and have sent nothing: one of them may be a client that waits. */
  get silent(): readonly ConnectionEnd[] {
    return [...this.#unmatched].filter(({ pending, ending }) =>
      pending === 0 && ending === undefined
    );
  }

  /** The port that is listened at. */
  get port(): number {
    const [listener] = this.#listeners;
    return listener === undefined || "path" in listener.addr ? 0 : listener.addr.port;
  }

  /** How many strays have come. */
  get strayCount(): number {
    return this.#strayCount + this.#unmatched.size;
  }

  /** What the last of the strays that have sent anything began with. */
  get strayBytes(): Uint8Array | undefined {
    return this.#strayBytes;
  }

  /** Keeps the connection that begins with this tag, once it comes, for {@linkcode arrived}. */
  expect(tag: string): void {
    this.#awaited.set(tag, undefined);
  }

  /** The connection that began with this tag, if it has come. The caller closes it. */
  arrived(tag: string): ConnectionEnd | undefined {
    return this.#awaited.get(tag);
  }

  /** A connection with this tag that comes later is closed. */
  forget(tag: string): void {
    this.#awaited.delete(tag);
    this.#forgotten.add(tag);
  }

  /** Hands a silent connection over to the caller, who closes it. */
  adopt(end: ConnectionEnd): void {
    this.#unmatched.delete(end);
    this.#own.delete(end);
  }

  /** Stops listening and closes the connections that nobody has taken. */
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

  /** Waits for enough of a connection's first bytes to know whose it is. Never throws. */
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

  /** Reads a stray, so that its end is noticed, and closes it then. */
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

/** Whether what a connection has sent so far may be the beginning of a tag. */
function mayBecomeOurs(end: ConnectionEnd): boolean {
  return end.ending === undefined && end.pending < TAG_LENGTH && mayBeTag(end.peek(TAG_LENGTH));
}
