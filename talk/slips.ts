import { TalkError } from "./problem.ts";
import { type Conversation, visitNames } from "./talk.ts";

/** Names of a conversation from which on it was hardly written by hand. */
const MANY_NAMES = 100;
/** Letters that names have at least which are compared: `{sum}` and `{sub}` are both meant. */
const MIN_LENGTH = 4;

/** A place where a name stands. */
interface Use {
  readonly name: string;
  readonly says: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Looks for names that are slips of others: `{nam}`, which stands nowhere else, after the other
 * side has said `{name}`. It would be a value of its own, and any reply would do.
 *
 * @throws {TalkError}
 */
export function checkSlips({ lines }: Conversation): void {
  const uses = lines.flatMap(({ says, tokens, number }) => {
    const own: Use[] = [];
    for (const token of tokens) {
      if (token.kind !== "value") continue;
      visitNames(
        token.expression,
        (name, column) => own.push({ name, says, line: number, column }),
      );
    }
    return own;
  });
  const byName = Map.groupBy(uses, ({ name }) => name);
  if (byName.size > MANY_NAMES) return;
  for (const [name, [use, ...others]] of byName) {
    if (use === undefined || others.length > 0) continue;
    const { says, line, column } = use;
    const meant = uses.find((one) =>
      one.line < line && one.says !== says && isSlip(name, one.name)
    );
    if (meant === undefined) continue;
    const facts = { name, meant: meant.name, meantLine: meant.line };
    throw new TalkError(line, column, { kind: "likely slip", ...facts });
  }
}

/** Whether one name is the other with a letter more, less or changed, or two of them swapped. */
export function isSlip(one: string, other: string): boolean {
  const most = Math.min(one.length, other.length);
  if (one === other || Math.max(one.length, other.length) < MIN_LENGTH) return false;
  let start = 0;
  while (start < most && one[start] === other[start]) start++;
  let end = 0;
  while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const [a, b] = [one, other].map((name) => name.slice(start, name.length - end));
  // `word` and `word2` are two names.
  if (a === undefined || b === undefined || /\d/.test(a + b)) return false;
  return Math.max(a.length, b.length) === 1 || (a.length === 2 && a === [...b].reverse().join(""));
}
