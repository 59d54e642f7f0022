import { TalkError } from "./problem.ts";
import { parseRational } from "./rational.ts";
import { type Expression, type FunctionName, functionNames, type Operator } from "./talk.ts";

/** Words with a meaning of their own, which therefore name no value. */
const reserved: readonly string[] = [...functionNames, "end", "as"];

/** Characters between two braces, so that a calculation is never nested deeper than the stack. */
export const MAX_CALCULATION = 1_000;

/**
 * Reads the calculation in a pair of braces.
 *
 * @param line The line of the file, for errors.
 * @param column The column of its first character.
 * @throws {TalkError}
 */
export function parseExpression(text: string, line: number, column: number): Expression {
  let at = 0;

  const fail = (problem: TalkError["problem"], where = at): never => {
    throw new TalkError(line, column + where, problem);
  };
  const take = (pattern: RegExp): string | undefined => {
    while (text[at] === " ") at++;
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };

  const chain = (operators: RegExp, operand: () => Expression): Expression => {
    let left = operand();
    while (true) {
      const operator = take(operators) as Operator | undefined;
      if (operator === undefined) return left;
      left = { kind: "operation", operator, left, right: operand() };
    }
  };
  const sum = (): Expression => chain(/[+-]/y, product);
  const product = (): Expression => chain(/\/\/|[*/%]/y, factor);
  const inParentheses = (): Expression => {
    const inner = sum();
    if (take(/\)/y) === undefined) fail({ kind: "no parenthesis" });
    return inner;
  };

  const factor = (): Expression => {
    if (take(/\(/y) !== undefined) return inParentheses();
    const start = at + (/^ */.exec(text.slice(at))?.[0].length ?? 0);
    const digits = take(/\d+(?:\.\d+)?/y);
    const number = digits === undefined ? undefined : parseRational(digits);
    if (number !== undefined) return { kind: "number", number };
    const name = take(/[A-Za-z]\w*/y);
    if (name === undefined) return fail({ kind: "no operand", found: text.slice(at, at + 1) });
    if (take(/\(/y) !== undefined) {
      if (!isFunction(name)) return fail({ kind: "unknown function", name }, start);
      return { kind: "call", name, argument: inParentheses() };
    }
    if (reserved.includes(name.toLowerCase())) fail({ kind: "reserved name", name }, start);
    return { kind: "name", name, column: column + start };
  };

  if (text.length > MAX_CALCULATION) fail({ kind: "calculation too long", most: MAX_CALCULATION });
  const expression = sum();
  if (take(/[^ ]/y) !== undefined) fail({ kind: "not a value", rest: text.slice(at - 1) }, at - 1);
  return expression;
}

function isFunction(name: string): name is FunctionName {
  return (functionNames as readonly string[]).includes(name);
}
