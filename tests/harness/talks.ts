import { concat } from "@std/bytes/concat";
import type { Progress } from "../../talk/match.ts";
import { Matcher } from "../../talk/matcher.ts";
import { parseTalk } from "../../talk/parse.ts";
import type { Line, Talk } from "../../talk/talk.ts";
import { bytesOfValue, type Values } from "../../talk/value.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes as text of one character each. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

/** What a match says in the end. */
export interface Matched {
  /** Whether all of the input matched. */
  readonly fits: boolean;
  /** The bytes that belong to the match, if there is one. */
  readonly size: number | undefined;
  readonly values: Readonly<Record<string, string>>;
  /** Where it failed, in the input and in the file. */
  readonly miss: string | undefined;
  /** What it was after each piece. */
  readonly progress: readonly Progress[];
}

/** Matches input against lines of a file, by default what the server says in the first conversation. */
export function matchAll(
  talk: Talk | string,
  input: string | Uint8Array,
  { cuts = [], ended = "silent", values = new Map(), lines }: {
    /** Where the input is cut into pieces. */
    readonly cuts?: readonly number[];
    readonly ended?: "silent" | "closed";
    readonly values?: Values;
    readonly lines?: readonly Line[];
  } = {},
): Matched {
  const file = typeof talk === "string" ? parseTalk(talk) : talk;
  const bytes = typeof input === "string" ? encoder.encode(input) : input;
  const received = { bytes: new Uint8Array() };
  const said = lines ?? file.conversations[0]?.lines.filter(({ says }) => says === "server") ?? [];
  const matcher = new Matcher(said, received, { talk: file, values });
  const progress = [...cuts, bytes.length].map((end) => {
    received.bytes = concat([bytes.subarray(0, end)]);
    return matcher.look();
  });
  const isMatch = matcher.finish(ended) === "matched";
  const { miss } = matcher;
  const shown = [...matcher.said].map(([name, value]) =>
    [name, decoder.decode(bytesOfValue(value))] as const
  );
  return {
    fits: isMatch && matcher.size === bytes.length,
    size: isMatch ? matcher.size : undefined,
    values: Object.fromEntries(shown.sort()),
    miss: isMatch || miss === undefined
      ? undefined
      : `${miss.at} at ${miss.line.number}:${miss.token.column}`,
    progress,
  };
}
