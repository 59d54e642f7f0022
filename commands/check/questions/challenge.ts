import type { Challenge as ServiceChallenge } from "../../../clients/challenge.ts";
import type { Conversation, Talk } from "../../../talk/talk.ts";

/** A question to a target: that of a service, or the user's own. */
export interface Challenge extends Omit<ServiceChallenge, "form"> {
  readonly form: ServiceChallenge["form"] | "text" | "http";
  /** Whether the request ends the sending side. @default {false} */
  readonly endsSending?: boolean;
  /** What a web server has answered. */
  answer?(received: Uint8Array): HttpAnswer | undefined;
}

/** The conversations of a file, as a question to a target. */
export interface TalkQuestion {
  readonly form: "talk";
  /** The file's name, for messages. */
  readonly name: string;
  readonly talk: Talk;
  /** Those to play. */
  readonly conversations: readonly Conversation[];
  /** Whether a reply depends on what was drawn for this very question. */
  readonly fresh: boolean;
  /** Whether each request, sent back, would pass for its reply. */
  readonly echo: boolean;
  readonly expected: "";
}

/** What a web server answered, as far as it is worth showing. */
export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  /** Where a redirect leads. */
  readonly location?: string | undefined;
  /** How the body is encoded: `gzip`, although that was not asked for. */
  readonly encoding?: string | undefined;
}

/** What a finding must know of a question: a run may have many thousands of them. */
export type Asked = Pick<Challenge | TalkQuestion, "fresh" | "echo" | "form" | "expected">;

export function askedBy({ fresh, echo, form, expected }: Asked): Asked {
  return { fresh, echo, form, expected };
}
