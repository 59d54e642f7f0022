import type { Line } from "../../protocol/line_buffer.ts";
import type { Asker, ReplyPlan, Service } from "../service.ts";
import { NOT_UTF8, type ServerEvents } from "./server.ts";
import type { TimeSlices } from "./time_slices.ts";

/** Characters of replies that are collected before they are written. */
const WRITE_SIZE = 65_536;
/** Requests that are answered before they are reported, where somebody listens: reporting takes time, too. */
const MAX_REPORTED = 256;
/** Characters of requests after which the clock is looked at: some 20 microseconds for most. */
const CLOCK_CHARACTERS = 2_048;
/** What each request counts beside its characters. */
const REQUEST_CHARACTERS = 32;

/** Some requests in a row, and their replies as they are written together. */
export interface Batch {
  readonly first: number;
  /** Where the next batch begins. */
  readonly end: number;
  /** Replies in the text. */
  readonly count: number;
  readonly text: string;
  /** What is done after the text, where the last request wants more than text. */
  readonly plan: ReplyPlan | undefined;
  /** The replies of the text one by one, where somebody listens. */
  readonly replies: readonly string[] | undefined;
}

/** What a batch is made with. */
interface Answering {
  readonly service: Service;
  readonly slices: TimeSlices;
  readonly onAnswered: ServerEvents["answered"];
}

/** Answers the requests from `first` on, as many as one write and one slice of time hold. */
export function nextBatch(
  requests: readonly Line[],
  first: number,
  ending: "\n" | "",
  asker: Asker,
  { service, slices, onAnswered }: Answering,
): Batch {
  const replies: string[] | undefined = onAnswered && [];
  const last = replies ? Math.min(requests.length, first + MAX_REPORTED) : requests.length;
  let end = first;
  let text = "";
  let work = 0;
  let plan: ReplyPlan | undefined;
  while (end < last && plan === undefined && text.length < WRITE_SIZE) {
    const request = requests[end++] ?? null;
    const reply = request === null ? NOT_UTF8 : service.reply(request, asker);
    if (typeof reply === "string") {
      text += reply + ending;
      replies?.push(reply);
    } else {
      plan = reply;
    }
    work += REQUEST_CHARACTERS + (request?.length ?? 0);
    if (work > CLOCK_CHARACTERS) {
      if (slices.isOver) break;
      work = 0;
    }
  }
  const count = end - first - (plan === undefined ? 0 : 1);
  return { first, end, count, text, plan, replies };
}
