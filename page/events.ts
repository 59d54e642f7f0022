import type { EventLog, Mark, Update } from "./log.ts";
import { START } from "./log.ts";
import { patientStream } from "./patient_stream.ts";

/** Most viewers at a time. */
const MOST_VIEWERS = 20;
/** Milliseconds without news after which a viewer is sent a comment. */
const HEARTBEAT_MS = 10_000;
/** Milliseconds that a viewer waits before it reconnects. */
const RETRY_MS = 1_000;

/** The current viewers of the page: each gets news from the log only as fast as it reads. */
export class Viewers {
  readonly #log: EventLog;
  readonly #patience: number;
  readonly #viewers = new Set<Viewer>();
  /** Distinguishes a restarted server from the one before. */
  readonly #run = crypto.randomUUID();

  /** @param patience Milliseconds that a viewer may take to read what it was sent. */
  constructor(log: EventLog, patience: number) {
    this.#log = log;
    this.#patience = patience;
  }

  get count(): number {
    return this.#viewers.size;
  }

  /**
   * Opens a stream of server-sent events for one more viewer.
   *
   * @param lastId The id of the last event that it received, according to the viewer.
   * @returns `undefined` if there are too many.
   */
  open(lastId: string | null): ReadableStream<Uint8Array> | undefined {
    if (this.#viewers.size >= MOST_VIEWERS) return undefined;
    const viewer = new Viewer(this.#log, this.#run, lastId);
    this.#viewers.add(viewer);
    return patientStream(() => viewer.next(), {
      patience: this.#patience,
      over: () => {
        viewer.leave();
        this.#viewers.delete(viewer);
      },
    });
  }
}

/** One viewer; only how far it has been updated is kept for it. */
class Viewer {
  readonly #log: EventLog;
  readonly #run: string;
  #mark: Mark;
  #isFirst = true;
  #isLast = false;
  #wake: (() => void) | undefined;

  constructor(log: EventLog, run: string, lastId: string | null) {
    this.#log = log;
    this.#run = run;
    this.#mark = markOf(lastId, run);
  }

  /** Waits for the next message; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    if (this.#isLast) return undefined;
    if (!await this.#waitForNews()) return ": still here\n\n";
    const update = this.#log.since(this.#mark);
    const message = messageOf(update, this.#run, this.#mark === START, this.#isFirst);
    this.#mark = update.mark;
    this.#isFirst = false;
    this.#isLast = update.stopped !== undefined && !this.#log.isNews(update.mark);
    return message;
  }

  /** Ends the wait for news. */
  leave(): void {
    this.#wake?.();
  }

  /** Waits for news, at most for one heartbeat, and returns whether there is any. */
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
}

/** Where a returning viewer continues; one from another run, or a new one, begins at the start. */
function markOf(lastId: string | null, run: string): Mark {
  const [, of, number, version] = /^(.+):(\d{1,15}):(\d{1,15})$/.exec(lastId ?? "") ?? [];
  return of === run ? { number: Number(number), version: Number(version) } : START;
}

/** Formats an update as a server-sent event; its rungs are already JSON. */
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
