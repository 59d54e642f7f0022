import { Changes, until } from "../sockets/changes.ts";
import { type EventLog, type Mark, START, type Update } from "./log.ts";

/** Milliseconds without news after which a viewer is sent a comment. */
const HEARTBEAT_MS = 10_000;
/** Milliseconds that a viewer waits before it reconnects. */
const RETRY_MS = 1_000;

/**
 * Makes server-sent events with the news from the log, as fast as the viewer reads them.
 *
 * @param run Distinguishes a restarted server from the one before.
 * @param lastId The id of the last event that the viewer has received, as it says.
 * @param gone Aborts once the viewer has left.
 */
export async function* eventsOf(
  log: EventLog,
  run: string,
  lastId: string | undefined,
  gone: AbortSignal,
): AsyncGenerator<string> {
  const leaving = new Changes();
  gone.addEventListener("abort", () => leaving.notify(), { once: true });
  const isOver = (): boolean => gone.aborted || log.isNews(mark);
  let mark = markOf(lastId, run);
  yield `retry: ${RETRY_MS}\n`;
  for (let isFirst = true; !gone.aborted; isFirst = false) {
    if (!isFirst) await until(isOver, [log.changes, leaving], HEARTBEAT_MS);
    if (!isFirst && !log.isNews(mark)) {
      yield ": still here\n\n";
      continue;
    }
    const update = log.since(mark);
    yield messageOf(update, run, mark === START);
    mark = update.mark;
    if (update.stopped !== undefined && !log.isNews(mark)) return;
  }
}

/** Where a returning viewer continues; one from another run, or a new one, begins at the start. */
function markOf(lastId: string | undefined, run: string): Mark {
  const [, of, number, version] = /^(.+):(\d{1,15}):(\d{1,15})$/.exec(lastId ?? "") ?? [];
  return of === run ? { number: Number(number), version: Number(version) } : START;
}

/** Formats an update as a server-sent event; its rungs are already JSON. */
function messageOf(
  { mark, rungs, ...update }: Update,
  run: string,
  isReset: boolean,
): string {
  const rest = JSON.stringify({ run, isReset, ...update });
  const data = `${rest.slice(0, -1)},"rungs":[${rungs.join(",")}]}`;
  return `id: ${run}:${mark.number}:${mark.version}\ndata: ${data}\n\n`;
}
