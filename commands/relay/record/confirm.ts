import { equals } from "@std/bytes/equals";
import { escapeBytes } from "../../../talk/escape.ts";
import { Matcher } from "../../../talk/matcher.ts";
import { parseTalk } from "../../../talk/parse.ts";
import { TalkError } from "../../../talk/problem.ts";
import { render } from "../../../talk/render.ts";
import type { Line, Talk } from "../../../talk/talk.ts";
import type { Value } from "../../../talk/value.ts";
import { writeTalk, type WrittenLine } from "../../../talk/write.ts";
import { type FreshFile, freshTurns } from "./fresh.ts";
import type { Turn } from "./recording.ts";

/** How often names are left out where they do not hold, before all of them are. */
const MAX_TRIES = 6;

/** What was said, byte by byte. */
export const plainText = ({ bytes }: Turn): string => escapeBytes(bytes);

/** Writes turns as lines of a file, those of each turn together. */
export type LineWriter = (texts: readonly string[]) => readonly (readonly WrittenLine[])[];

/**
 * The texts of turns with names for values, as far as what was recorded confirms them: a client
 * with these values says just what the client said, and what the server said fits.
 */
export function confirmedTexts(
  turns: readonly Turn[],
  file: FreshFile,
  udp: boolean,
  write: LineWriter,
): readonly string[] {
  const plain = new Set<string>();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const fresh = freshTurns(turns, file, plain);
    const texts = fresh.map(({ text }) => text);
    const wrong = unconfirmed(turns, udp, write(texts));
    if (wrong.length === 0) return texts;
    const named = wrong.flatMap((index) => fresh[index]?.named ?? []);
    if (named.length === 0) break;
    for (const one of named) plain.add(one);
  }
  return turns.map(plainText);
}

/** The indexes of turns that their lines do not show as they were. */
function unconfirmed(
  turns: readonly Turn[],
  udp: boolean,
  lines: readonly (readonly WrittenLine[])[],
): readonly number[] {
  let talk: Talk;
  try {
    talk = parseTalk(writeTalk({ udp, conversations: [{ title: "", lines: lines.flat() }] }));
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    return [turnOfLine(error.line - (udp ? 1 : 0), lines)];
  }
  const all = talk.conversations[0]?.lines ?? [];
  const values = new Map<string, Value>();
  let at = 0;
  return turns.flatMap((turn, index) => {
    const own = all.slice(at, at += lines[index]?.length ?? 0);
    return isConfirmed(turn, own, values, talk) ? [] : [index];
  });
}

/** The turn of a line, counted from 1. */
function turnOfLine(line: number, lines: readonly (readonly WrittenLine[])[]): number {
  let last = 0;
  return lines.findIndex(({ length }) => (last += length) >= line);
}

/** Whether the turn was said as its lines show it; adds what it said to the values. */
function isConfirmed(
  { from, bytes, ends, omitted }: Turn,
  lines: readonly Line[],
  values: Map<string, Value>,
  talk: Talk,
): boolean {
  const tokens = lines.flatMap(({ tokens }) => tokens);
  const matcher = new Matcher(lines, { bytes }, { talk, values });
  const fits = matcher.finish(ends ? "closed" : "silent") === "matched" &&
    (matcher.size === bytes.length || omitted > 0);
  if (!fits) return false;
  for (const [name, value] of matcher.said) values.set(name, value);
  return from === "server" || equals(render(tokens, values, { talk, random: () => 0 }), bytes);
}
