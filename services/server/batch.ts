import type { Line } from "../../protocol/line_buffer.ts";
import type { ReplyPlan, Requester, Service } from "../service.ts";
import { scheduler } from "./scheduler.ts";
import { NOT_UTF8, type ServerEvents } from "./server.ts";

/** Characters of replies to collect before writing them. */
const WRITE_SIZE = 65_536;
/** Requests to answer before reporting them, if anything is listening: reporting takes time too. */
const MAX_REPORTED = 256;
/** Characters of requests to answer before checking the clock: about 20 microseconds of work. */
const CLOCK_CHARACTERS = 2_048;
/** Characters that each request counts as in addition to its own. */
const REQUEST_CHARACTERS = 32;

/** Consecutive requests whose replies are written together. */
export interface Batch {
  readonly first: number;
  /** Where the next batch begins. */
  readonly end: number;
  /** Replies in the text. */
  readonly count: number;
  readonly text: string;
  /** What to do after the text, if the last request needs more than text. */
  readonly plan: ReplyPlan | undefined;
  /** The replies in the text one by one, if anything is listening. */
  readonly replies: readonly string[] | undefined;
}

/** What answering a batch needs. */
interface Answering {
  readonly service: Service;
  readonly onAnswered: ServerEvents["answered"];
}

/** Answers requests from `first` on, as many as fit in one write and one time slice. */
export function nextBatch(
  requests: readonly Line[],
  first: number,
  ending: "\n" | "",
  requester: Requester,
  { service, onAnswered }: Answering,
): Batch {
  const replies: string[] | undefined = onAnswered && [];
  const last = replies ? Math.min(requests.length, first + MAX_REPORTED) : requests.length;
  let end = first;
  let text = "";
  let work = 0;
  let plan: ReplyPlan | undefined;
  while (end < last && plan === undefined && text.length < WRITE_SIZE) {
    const request = requests[end++] ?? null;
    const reply = request === null ? NOT_UTF8 : service.reply(request, requester);
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
  return { first, end, count, text, plan, replies };
}
