import { ownLine } from "./own_line.ts";

/** Lines of a stack trace: they say where an error happened, not what it is. */
const STACK = /^\s|^Node\.js v|^goroutine |^exit status|^Emitted |^[\w/.:-]+:\d+$/;
/** How languages begin the line that says what went wrong. */
const HEADLINE = /^(?:[\w.:]*(?:Error|Exception|Interrupt)\b|panic:|fatal|Exception in )/;

/** The line of stderr that says what went wrong, and where that is in the learner's own file. */
export function lastWordsAndLine(stderr: string): string | undefined {
  const words = lastWords(stderr);
  const line = ownLine(stderr);
  return words === undefined || line === undefined ? words : `${words}\n${line}`;
}

/** Returns the line of stderr that helps a beginner most: what went wrong, not where. */
export function lastWords(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const words = lines.filter((line) => !STACK.test(line));
  const chosen = words.findLast((line) => HEADLINE.test(line)) ??
    words.findLast((line) => /error|exception|fault|refused|in use|denied|abort/i.test(line)) ??
    words.at(-1) ?? lines.at(-1);
  return chosen?.slice(0, 300);
}
