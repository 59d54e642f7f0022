/** Conversations whose requests show their ends, and why a subject may have none of a kind. */
import { Skipped } from "../../../../suite/test.ts";
import { namesIn } from "../../../../talk/talk.ts";
import { blindRequests, type Chosen, framedIn, repeated, requestsOf } from "../../conversations.ts";
import type { Subject } from "../../subjects.ts";
import { lacksOneClient, lacksRequest } from "../lacks.ts";

/** The first conversation whose requests show their ends. */
export function framedOf({ lines }: Subject): Chosen {
  const conversation = framedIn(lines);
  if (conversation === undefined) throw new Skipped("nothing in the file ends a request");
  return { talk: lines, conversation };
}

export function repeatedIn(subject: Subject, times: number): Chosen {
  const framed = framedOf(subject);
  return repeated(framed, times) ?? framed;
}

/** A conversation of several requests that show their ends: the first three times, or one that has them. */
export function severalOf(subject: Subject): Chosen {
  const many = subject.lines.conversations.find((conversation) =>
    requestsOf(conversation).length > 1 && blindRequests(conversation) !== undefined &&
    framedIn({ ...subject.lines, conversations: [conversation] }) !== undefined
  );
  const again = repeated(framedOf(subject), 3);
  if (again !== undefined && blindRequests(again.conversation) !== undefined) return again;
  return many === undefined ? framedOf(subject) : { talk: subject.lines, conversation: many };
}

export function lacksRepeats(subject: Subject): string | undefined {
  return repeated(framedOf(subject), 2) === undefined
    ? "the conversation can't be held again on its connection"
    : undefined;
}

export function lacksSeveral(subject: Subject): string | undefined {
  const { conversation } = severalOf(subject);
  return requestsOf(conversation).length > 1 && blindRequests(conversation) !== undefined
    ? undefined
    : "no conversation has two requests that could be sent at once";
}

export function lacksLong(subject: Subject): string | undefined {
  return longName(subject) === undefined ? "its first request has no value" : undefined;
}

/** The first value of the first request, which can be made long. */
export function longName(subject: Subject): string | undefined {
  const [request] = requestsOf(framedOf(subject).conversation);
  const isPlain = request?.tokens.every((token) => token.kind !== "value" || !token.binary);
  return isPlain ? namesIn(request?.tokens ?? [])[0] : undefined;
}

/** Why a check of requests that show their ends can't be made. */
export function lacksFrames(subject: Subject): string | undefined {
  if (framedIn(subject.lines) !== undefined) return undefined;
  return lacksOneClient(subject) ?? lacksRequest(subject) ??
    "nothing in the file ends a request: how TCP cuts it matters to this protocol";
}
