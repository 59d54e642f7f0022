import type { Line, Talk, Token } from "./talk.ts";
import type { Known } from "./value.ts";

/** How far a match has come. */
export type Progress =
  /** Not all that the file shows has arrived. */
  | "more"
  /** All has arrived; what follows may still belong to it, such as a line end or more digits. */
  | "enough"
  /** All has arrived, and what follows does not belong to it. */
  | "matched"
  /** Nothing that follows could make it match. */
  | "wrong";

/** Where a match failed, as far along as it came. */
export interface Miss {
  /** Bytes before it. */
  readonly at: number;
  readonly line: Line;
  readonly token: Token;
  /** Bytes that belong to the token. */
  readonly into: number;
}

/** What has arrived, from the first byte that may belong to a match. */
export interface Received {
  readonly bytes: Uint8Array;
}

/** What a {@linkcode Matcher} knows. */
export interface MatchOptions {
  readonly talk: Pick<Talk, "numbers">;
  /** Said before. */
  readonly values: Known;
  /** Whether the line end of what was said before may still come first. @default {false} */
  readonly mayBeginWithNewline?: boolean;
}
