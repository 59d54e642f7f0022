import type { EventLog, Mark, Update } from "./log.ts";
import { START } from "./log.ts";

/** Viewers at a time. */
const MOST_VIEWERS = 20;
/** Milliseconds that a viewer may take to read what it was sent. */
const PATIENCE_MS = 10_000;
/** Milliseconds after which a viewer that there is no news for is sent a comment. */
const HEARTBEAT_MS = 10_000;
/** Milliseconds that a viewer is to wait before it connects again. */
const RETRY_MS = 1_000;

const encoder = new TextEncoder();

/** Who looks at the page now: each gets what is new from the log as fast as it reads, and no faster. */
export class Viewers {
  readonly #log: EventLog;
  readonly #patience: number;
  readonly #viewers = new Set<Viewer>();
  /** Tells a server that was started anew from the one before. */
  readonly #run = crypto.randomUUID();

  /** @param patience Milliseconds that a viewer may take to read what it was sent. */
  constructor(log: EventLog, patience = PATIENCE_MS) {
    this.#log = log;
    this.#patience = patience;
  }

  get count(): number {
    return this.#viewers.size;
  }

  /**
   * A stream of server-sent events for one more viewer.
   *
   * @param lastId What it says that it has seen last.
   * @returns `undefined` if there are too many.
   */
  open(lastId: string | null): ReadableStream<Uint8Array> | undefined {
    if (this.#viewers.size >= MOST_VIEWERS) return undefined;
    const viewer = new Viewer(this.#log, this.#run, lastId, this.#patience, () => {
      this.#viewers.delete(viewer);
    });
    this.#viewers.add(viewer);
    return viewer.stream;
  }
}

/** One viewer: nothing is kept for it but how far it has read. */
class Viewer {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #log: EventLog;
  readonly #run: string;
  readonly #patience: number;
  readonly #left: () => void;
  #mark: Mark;
  #isFirst = true;
  #isOver = false;
  /** Ends its stream if it does not read. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | undefined;

  constructor(
    log: EventLog,
    run: string,
    lastId: string | null,
    patience: number,
    left: () => void,
  ) {
    this.#log = log;
    this.#run = run;
    this.#patience = patience;
    this.#left = left;
    this.#mark = markOf(lastId, run);
    // Asked for the next piece only once the one before has gone into the viewer's socket.
    this.stream = new ReadableStream({
      start: (controller) => this.#expectReading(controller),
      pull: (controller) => this.#send(controller),
      cancel: () => this.#leave(),
    }, { highWaterMark: 0 });
  }

  async #send(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    clearTimeout(this.#timer);
    const isNews = await this.#waitForNews();
    if (this.#isOver) return;
    if (!isNews) controller.enqueue(encoder.encode(": still here\n\n"));
    else this.#sendUpdate(controller);
    if (!this.#isOver) this.#expectReading(controller);
  }

  #sendUpdate(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const update = this.#log.since(this.#mark);
    const isReset = this.#mark === START;
    controller.enqueue(encoder.encode(messageOf(update, this.#run, isReset, this.#isFirst)));
    this.#mark = update.mark;
    this.#isFirst = false;
    if (update.stopped !== undefined && !this.#log.isNews(update.mark)) {
      controller.close();
      this.#leave();
    }
  }

  /** Whether there is news; not for longer than a heartbeat. */
  async #waitForNews(): Promise<boolean> {
    if (this.#isFirst || this.#log.isNews(this.#mark)) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const beat = new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, HEARTBEAT_MS);
    });
    await Promise.race([this.#log.news(), beat]);
    clearTimeout(timer);
    return this.#log.isNews(this.#mark);
  }

  #expectReading(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#timer = setTimeout(() => {
      this.#leave();
      controller.error(new Error("The viewer does not read"));
    }, this.#patience);
  }

  #leave(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#wake?.();
    this.#left();
  }
}

/** Where a viewer goes on that comes back; one of another run, or that is new, begins at the start. */
function markOf(lastId: string | null, run: string): Mark {
  const [, of, number, version] = /^(.+):(\d{1,15}):(\d{1,15})$/.exec(lastId ?? "") ?? [];
  return of === run ? { number: Number(number), version: Number(version) } : START;
}

/** An update as a server-sent event; the rungs are JSON already. */
function messageOf(
  { mark, rungs, ...update }: Update,
  run: string,
  isReset: boolean,
  isFirst: boolean,
): string {
  const rest = JSON.stringify({ run, isReset, ...update });
  const data = `${rest.slice(0, -1)},"rungs":[${rungs.join(",")}]}`;
  const retry = isFirst ? `retry: ${RETRY_MS}\n` : "";
  return `${retry}id: ${run}:${mark.number}:${mark.version}\ndata: ${data}\n\n`;
}
