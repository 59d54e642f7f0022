import { divide, pythonFloat } from "./python_float.ts";
import { ERROR_PREFIX, quotingError } from "./reply.ts";

/**
 * Maximum digits of a command's two operands together. The slowest command of
 * that size takes under 20 ms, so no request holds up the others for longer than
 * 50 ms on a slower machine.
 */
export const MAX_DIGITS = 100_000;

const ZERO = "0".charCodeAt(0);

interface Operation {
  readonly noun: string;
  readonly small: (a: number, b: number) => number;
  readonly big: (a: bigint, b: bigint) => bigint;
}

const operations = new Map<string, Operation>([
  ["+", { noun: "Sum", small: (a, b) => a + b, big: (a, b) => a + b }],
  ["-", { noun: "Diff", small: (a, b) => a - b, big: (a, b) => a - b }],
  ["*", { noun: "Product", small: (a, b) => a * b, big: (a, b) => a * b }],
]);

/** White space as Python's `str.split()` defines it. */
const WHITE_SPACE =
  // deno-lint-ignore no-control-regex -- the separators \x1c to \x1f are white space to Python
  /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** An ASCII integer as Python's `int()` accepts it. */
const INTEGER = /^[+-]?\d+(?:_\d+)*$/;

/**
 * The reply to a calculator command: `O1 O2 OP`, separated by white space.
 *
 * `10 20 +` gives `Sum of 10 and 20 is 30`; operands are repeated as typed.
 * Integers are exact at any size up to {@linkcode MAX_DIGITS}; a quotient is
 * the nearest double, printed as Python prints it. Never throws: a command
 * that can't be calculated gives a reply that starts with {@linkcode ERROR_PREFIX}.
 */
export function calculate(command: string): string {
  return calculateSmall(command) ?? calculateAny(command);
}

/** The start of every answer that is not an error. */
const ANSWER = /^(?:Sum|Diff|Product|Div) of \S+ and \S+ is /;

/** Whether a text is certainly a calculator's answer and not a command. */
export function isAnswer(text: string): boolean {
  return ANSWER.test(text);
}

/**
 * The reply to a command in the usual form, two integers of up to 15 digits with
 * one space after each and `+`, `-` or `*`, in a third of the time that
 * {@linkcode calculateAny} takes (`task bench --only 64x16`). `undefined` for
 * every other form, and if a number can't hold the result exactly.
 */
function calculateSmall(command: string): string | undefined {
  const end1 = command.indexOf(" ");
  const end2 = command.indexOf(" ", end1 + 1);
  if (end2 !== command.length - 2) return undefined;
  const operation = operations.get(command.charAt(end2 + 1));
  if (operation === undefined) return undefined;
  const o1 = command.slice(0, end1);
  const o2 = command.slice(end1 + 1, end2);
  const result = operation.small(smallInteger(o1), smallInteger(o2));
  if (!Number.isSafeInteger(result)) return undefined;
  return `${operation.noun} of ${o1} and ${o2} is ${result}`;
}

/** The value of up to 15 digits, which a number holds exactly; `NaN` for any other text. */
function smallInteger(text: string): number {
  if (text.length === 0 || text.length > 15) return NaN;
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

function calculateAny(command: string): string {
  // Five pieces are enough to tell three words, even with white space around them, from more.
  const words = command.split(WHITE_SPACE, 5).filter((word) => word !== "");
  const [o1, o2, operator] = words;
  if (
    words.length !== 3 || o1 === undefined || o2 === undefined ||
    operator === undefined
  ) {
    return `${ERROR_PREFIX}expected O1 O2 OP`;
  }
  if (o1.length + o2.length > MAX_DIGITS) {
    return `${ERROR_PREFIX}more than ${MAX_DIGITS} digits`;
  }

  const a = parseInteger(o1);
  if (a === undefined) return quotingError("", o1, " is not an integer");
  const b = parseInteger(o2);
  if (b === undefined) return quotingError("", o2, " is not an integer");

  if (operator === "/") return quotient(o1, o2, a, b);
  const operation = operations.get(operator);
  if (operation === undefined) {
    return quotingError("unknown operator ", operator, "");
  }
  return `${operation.noun} of ${o1} and ${o2} is ${operation.big(a, b)}`;
}

function quotient(o1: string, o2: string, a: bigint, b: bigint): string {
  if (b === 0n) return `${ERROR_PREFIX}division by zero`;
  const value = divide(a, b);
  if (!Number.isFinite(value)) {
    return `${ERROR_PREFIX}quotient too large for a float`;
  }
  return `Div of ${o1} and ${o2} is ${pythonFloat(value)}`;
}

function parseInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  return BigInt(text.replaceAll("_", ""));
}
