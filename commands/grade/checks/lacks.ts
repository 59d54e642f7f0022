/** Why a conversation gives no ground for a check. */
import {
  blindRequests,
  firstRequest,
  framedIn,
  framedOf,
  hasOneClient,
  longName,
  repeated,
  requestsOf,
  sampleOf,
  severalOf,
} from "../conversations.ts";
import { isPadded } from "../../../talk/talk.ts";
import type { Subject } from "../subjects.ts";

export function lacksRequest({ talk }: Subject): string | undefined {
  return firstRequest(talk) === undefined ? "the client says nothing" : undefined;
}

export function lacksOneClient({ talk }: Subject): string | undefined {
  return hasOneClient(sampleOf(talk)) ? undefined : "the conversation has several clients";
}

export function lacksCalculator({ calculates }: Subject): string | undefined {
  return calculates ? undefined : "only the lesson's calculator is asked this";
}

export function lacksRepeats({ lines }: Subject): string | undefined {
  return repeated(framedOf(lines), 2) === undefined
    ? "the conversation can't be held again on its connection"
    : undefined;
}

export function lacksSeveral({ lines }: Subject): string | undefined {
  const { conversation } = severalOf(lines);
  return requestsOf(conversation).length > 1 && blindRequests(conversation) !== undefined
    ? undefined
    : "no conversation has two requests that could be sent at once";
}

export function lacksLong({ lines }: Subject): string | undefined {
  if (longName(lines) === undefined) return "its first request has no value";
  const [request] = requestsOf(framedOf(lines).conversation);
  return request && isPadded(request.tokens) ? "its requests have a fixed size" : undefined;
}

/** Why a check of requests that show their ends can't be made. */
export function lacksFrames(subject: Subject): string | undefined {
  if (framedIn(subject.lines) !== undefined) return undefined;
  return lacksOneClient(subject) ?? lacksRequest(subject) ??
    "nothing in the file ends a request: how TCP cuts it matters to this protocol";
}
