import type { Line } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import type { ReplyPlan } from "../service.ts";
import type { ServedConnection } from "./connection.ts";
import { refusedStart } from "./foreign.ts";
import { takeSteps } from "./reply_steps.ts";
import { scheduler } from "./scheduler.ts";
import { type EndReason, NOT_UTF8 } from "./server.ts";

/** Bytes of one read from which answering counts as long work. */
const LONG_READ = 512;
/** Characters of replies to collect before writing them. */
const WRITE_SIZE = 65_536;
/** Requests to answer before reporting them, if anything is listening: reporting takes time too. */
const MAX_REPORTED = 256;
/** Characters of requests to answer before checking the clock: about 20 microseconds of work. */
const CLOCK_CHARACTERS = 2_048;
/** Characters that each request counts as in addition to its own. */
const REQUEST_CHARACTERS = 32;

/**
 * Answers the requests of a connection until it ends: bytes -> lines -> replies -> bytes. No read
 * begins until the previous write is done.
 */
export async function answerRequests(connection: ServedConnection): Promise<void> {
  const { reader, life, context } = connection;
  const { lines } = reader;
  connection.expectRequest(0, false);
  while (life.converses) {
    const wasDraining = context.draining;
    const count = await reader.read();
    if (!life.converses) return;
    const isFirst = connection.requests === 0 && count !== null;
    const refused = isFirst ? refusedStart(connection, count) : undefined;
    if (refused !== undefined) return await refuse(connection, refused.error, "other protocol");
    const wasPending = lines.pending > 0;
    const isLong = (count ?? lines.pending) >= LONG_READ;
    const turn = isLong ? connection.queue() : undefined;
    if (turn !== undefined) await turn;
    if (!life.converses) return;
    if (count === null) connection.reason ??= "end of stream";
    if (!count) await answerRest(connection); // it, or silence, has ended a request
    if (count === null) return;

    const requests = count > 0 ? lines.take(count) : [];
    if (requests.length > 0) await answer(connection, requests, "\n");
    if (!life.converses) return;
    if (lines.tooLong) return await refuseTooLong(connection);
    // A read from before the stop says nothing of what has arrived since.
    const isDrained = wasDraining && lines.pending === 0 && !lines.filled;
    if (isDrained) return connection.end("server stops");
    connection.expectRequest(lines.pending, wasPending && requests.length === 0);
    // Long work has already waited for its turn.
    const held = isLong ? undefined : scheduler.afterAnswer();
    if (held !== undefined) await held;
  }
}

/** Answers what silence or the end of the stream has ended, instead of an LF. */
async function answerRest(connection: ServedConnection): Promise<void> {
  const { lines, ending } = connection.reader.lines.takeRest();
  if (lines.length > 0) await answer(connection, lines, ending);
}

async function refuseTooLong(connection: ServedConnection): Promise<void> {
  const { maxRequest } = connection.context;
  const error = `${ERROR_PREFIX}the request is longer than ${maxRequest} bytes`;
  return await refuse(connection, error, "request too long");
}

/** Answers with an error, and ends the connection; what its peer still sends is discarded. */
async function refuse(
  connection: ServedConnection,
  error: string,
  reason: EndReason,
): Promise<void> {
  await write(connection, `${error}\n`);
  connection.context.onSent?.(connection, error);
  connection.end(reason, connection.context.requestTimeout);
}

/** Consecutive requests whose replies are written together. */
interface Batch {
  readonly first: number;
  /** Where the next batch begins. */
  readonly end: number;
  /** What to do after the write, if the last request needs more than text. */
  readonly plan: ReplyPlan | undefined;
  /** The replies in the write one by one, if anything is listening. */
  readonly replies: readonly string[] | undefined;
  /** Resolves once the replies are written. */
  readonly written: Promise<void>;
}

/** Sends the replies to the requests. */
function answer(
  connection: ServedConnection,
  requests: readonly Line[],
  ending: "\n" | "",
): Promise<void> {
  const batch = writeBatch(connection, requests, 0, ending);
  const isAll = batch.end === requests.length && batch.plan === undefined;
  if (isAll && connection.context.onAnswered === undefined) return batch.written;
  return answerOn(connection, requests, ending, batch);
}

/** Does what follows once a batch is written: its events, its plan, the remaining requests. */
async function answerOn(
  connection: ServedConnection,
  requests: readonly Line[],
  ending: "\n" | "",
  batch: Batch,
): Promise<void> {
  const { context: { onAnswered }, life } = connection;
  while (true) {
    await batch.written;
    batch.replies?.forEach((reply, index) =>
      onAnswered?.(connection, requests[batch.first + index] ?? null, reply)
    );
    if (batch.plan !== undefined) {
      connection.count(1);
      await takeSteps(batch.plan, ending, connection);
      onAnswered?.(connection, requests[batch.end - 1] ?? null, batch.plan.shown);
    }
    if (batch.end === requests.length || !life.converses) return;
    await connection.queue();
    if (!life.converses) return;
    batch = writeBatch(connection, requests, batch.end, ending);
  }
}

/**
 * Answers requests from `first` on, as many as fit in one write and one time slice. The batch does
 * not keep the text: a peer that does not read would keep it in memory for long.
 */
function writeBatch(
  connection: ServedConnection,
  requests: readonly Line[],
  first: number,
  ending: "\n" | "",
): Batch {
  const { context: { service, onAnswered }, foreign } = connection;
  const replies: string[] | undefined = onAnswered && [];
  const last = replies ? Math.min(requests.length, first + MAX_REPORTED) : requests.length;
  let end = first;
  let text = "";
  let work = 0;
  let plan: ReplyPlan | undefined;
  while (end < last && plan === undefined && text.length < WRITE_SIZE) {
    const request = requests[end++] ?? null;
    const reply = request === null
      ? foreign?.error ?? NOT_UTF8
      : service.reply(request, connection);
    if (typeof reply === "string") {
      text += reply + ending;
      replies?.push(reply);
    } else {
      plan = reply;
    }
    work += REQUEST_CHARACTERS + (request?.length ?? 0);
    if (work > CLOCK_CHARACTERS) {
      if (scheduler.isSliceOver) break;
      work = 0;
    }
  }
  const count = end - first - (plan === undefined ? 0 : 1);
  return { first, end, plan, replies, written: write(connection, text, count) };
}

/** @param requests How many the text answers. */
async function write(connection: ServedConnection, text: string, requests = 0): Promise<void> {
  const { life, stream, context: { replyBuffers } } = connection;
  life.reply();
  const bytes = replyBuffers.encode(text);
  // One write nearly always takes it all: no send(), no extra promise (`task bench --only 64x1`)
  const written = bytes.length === 0 ? 0 : await stream.write(bytes);
  if (written < bytes.length) await connection.send(bytes.subarray(written));
  replyBuffers.giveBack(bytes);
  connection.count(requests);
}
