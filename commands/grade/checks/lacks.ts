/** Why a conversation gives no ground for a check. */
import { firstRequest, hasOneClient, sampleOf } from "../conversations.ts";
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
