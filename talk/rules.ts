import { TalkError } from "./problem.ts";
import { integer } from "./rational.ts";
import { checkSlips, isSlip } from "./slips.ts";
import {
  type Conversation,
  type Line,
  measuredName,
  type Range,
  type ValueToken,
  visitNames,
} from "./talk.ts";

/** What a name stands for that is calculated with, unless the file shows a range. */
const DEFAULT_RANGE: Range = { low: integer(1n), high: integer(99n), decimals: 0 };

/** What must hold of the lines together. @throws {TalkError} */
export function checkRules(conversations: readonly Conversation[], udp: boolean): void {
  const answers = conversations.some(({ lines }) => lines.some(({ says }) => says === "server"));
  if (!answers) throw new TalkError(conversations[0]?.number ?? 1, 1, { kind: "no server" });
  for (const conversation of conversations) {
    const { lines, number } = conversation;
    if (lines.length === 0) throw new TalkError(number, 1, { kind: "no lines" });
    checkNames(lines);
    checkSlips(conversation);
    checkEnds(lines, udp);
    if (udp) checkOrder(lines);
  }
}

/** A name is said before it is calculated with, so that either side can be played. */
function checkNames(lines: readonly Line[]): void {
  const said = new Set<string>();
  for (const line of lines) {
    const values = valuesOf(line);
    if (values.length === 0) continue;
    const whole = new Set(values.map(({ expression }) => nameOf(expression)));
    const own = new Set<string>();
    const isKnown = (name: string): boolean => said.has(name) || own.has(name);
    for (const { expression } of values) {
      const alone = nameOf(expression);
      if (alone !== undefined) {
        own.add(alone);
        continue;
      }
      const measured = measuredName(expression);
      visitNames(expression, (name, column) => {
        if (isKnown(name) || (name === measured && whole.has(name))) return;
        const meant = [...said, ...own].find((known) => isSlip(name, known)) ?? name;
        throw new TalkError(line.number, column, { kind: "unknown name", name, meant });
      });
    }
    // What a mistake says is said by nobody.
    if (line.says !== "mistake") own.forEach((name) => said.add(name));
  }
}

const nameOf = (expression: ValueToken["expression"]): string | undefined =>
  expression.kind === "name" ? expression.name : undefined;

/** Nothing is said by a side that has ended. */
function checkEnds(lines: readonly Line[], udp: boolean): void {
  const ends = new Map<string, number>();
  for (const { says, client, tokens, number } of lines) {
    const index = tokens.findIndex(({ kind }) => kind === "end");
    const end = tokens[index];
    if (end !== undefined && udp) {
      throw new TalkError(number, end.column, { kind: "end of datagrams" });
    }
    if (end !== undefined && index < tokens.length - 1) {
      throw new TalkError(number, tokens[index + 1]?.column ?? 1, { kind: "after end" });
    }
    if (says === "typed") continue;
    const side = `${client}${says === "server" ? "<" : ">"}`;
    const [firstEnd] = ends.values();
    const endLine = says === "mistake" ? firstEnd : ends.get(side);
    if (endLine !== undefined) {
      throw new TalkError(number, 1, { kind: "line after end", says, endLine });
    }
    if (end !== undefined && says !== "mistake") ends.set(side, number);
  }
}

/** Over UDP the server learns its client's address from the first datagram. */
function checkOrder(lines: readonly Line[]): void {
  const asked = new Set<string>();
  for (const { says, client, number } of lines) {
    if (says === "client") asked.add(client);
    if (says === "server" && !asked.has(client)) {
      throw new TalkError(number, 1, { kind: "server first" });
    }
  }
}

/**
 * The names that stand for numbers: those that are calculated with, have a range or are binary.
 *
 * @throws {TalkError} if one of them is a word as well.
 */
export function numbersOf(conversations: readonly Conversation[]): ReadonlyMap<string, Range> {
  const ranges = new Map<string, Range>();
  const numbers = new Map<string, number>();
  const words = new Map<string, { line: number; column: number }>();
  for (const line of conversations.flatMap(({ lines }) => lines)) {
    for (const { expression, range, binary } of valuesOf(line)) {
      visitNames(expression, (name, column, use) => {
        const counts = use === "number" || range !== undefined || binary !== undefined;
        if (use === "word") words.set(name, { line: line.number, column });
        else if (counts && !numbers.has(name)) numbers.set(name, line.number);
        if (range !== undefined && !ranges.has(name)) ranges.set(name, range);
      });
    }
  }
  for (const [name, numberLine] of numbers) {
    const word = words.get(name);
    if (word !== undefined) {
      throw new TalkError(word.line, word.column, { kind: "word and number", name, numberLine });
    }
    if (!ranges.has(name)) ranges.set(name, DEFAULT_RANGE);
  }
  return ranges;
}

function valuesOf({ tokens }: Line): readonly ValueToken[] {
  return tokens.filter((token) => token.kind === "value");
}
