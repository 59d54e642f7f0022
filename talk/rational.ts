import type { Operator, Rational } from "./talk.ts";

/** Maximum digits of a number, written or calculated. */
export const MAX_DIGITS = 10_000;

/** Decimals up to which a number that ends is written exactly. */
const EXACT_DECIMALS = 14;

const LIMIT = 10n ** BigInt(MAX_DIGITS);

const PARTS = /^([-+]?)(\d*)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/;

export const integer = (value: bigint): Rational => ({ numerator: value, denominator: 1n });

const isInteger = ({ denominator }: Rational): boolean => denominator === 1n;

/** The exact value of `30`, `+30.0`, `.5` or `3e1`; `undefined` beyond {@linkcode MAX_DIGITS}. */
export function parseRational(text: string): Rational | undefined {
  if (/^\d{1,15}$/.test(text)) return integer(BigInt(text)); // most are
  const [, sign, whole = "", fraction = "", exponent = "0"] = PARTS.exec(text) ?? [];
  if (sign === undefined || text.length > MAX_DIGITS) return undefined;
  const digits = BigInt(`${whole}${fraction}`) * (sign === "-" ? -1n : 1n);
  const shift = Number(exponent) - fraction.length;
  if (Math.abs(shift) > MAX_DIGITS) return undefined;
  const power = 10n ** BigInt(Math.abs(shift));
  return shift < 0 ? ratio(digits, power) : ratio(digits * power, 1n);
}

/** The number of digits shown after the point, negative if the last one is a ten or more; `undefined` for an integer. */
function shownDecimals(text: string): number | undefined {
  const [, , , fraction = "", exponent] = PARTS.exec(text) ?? [];
  return fraction === "" && exponent === undefined
    ? undefined
    : fraction.length - Number(exponent ?? 0);
}

/** A fraction; an integer if it is one, `undefined` if its parts have too many digits. */
function ratio(numerator: bigint, denominator: bigint): Rational | undefined {
  if (denominator === 0n) return undefined;
  if (denominator < 0n) [numerator, denominator] = [-numerator, -denominator];
  if (numerator >= LIMIT || -numerator >= LIMIT || denominator >= LIMIT) return undefined;
  if (denominator !== 1n && numerator % denominator === 0n) return integer(numerator / denominator);
  return { numerator, denominator };
}

/**
 * The result of an operation, exactly; `//` cuts toward zero and `%` is the rest that it leaves, as in C.
 * `undefined` for a division by zero, or a result beyond {@linkcode MAX_DIGITS}.
 */
export function calculate(a: Rational, operator: Operator, b: Rational): Rational | undefined {
  const over = a.denominator * b.denominator;
  const left = a.numerator * b.denominator;
  const right = b.numerator * a.denominator;
  switch (operator) {
    case "+":
      return ratio(left + right, over);
    case "-":
      return ratio(left - right, over);
    case "*":
      return ratio(a.numerator * b.numerator, over);
    case "/":
      return ratio(left, right);
    case "//":
      return right === 0n ? undefined : integer(left / right);
    case "%":
      return right === 0n ? undefined : ratio(left % right, over);
  }
}

/**
 * The number as text, with as few digits as are needed: exactly if it ends within 14 decimals,
 * otherwise rounded to six decimals, or so many that seven digits count.
 */
export function formatRational(number: Rational): string {
  const { numerator, denominator } = number;
  if (isInteger(number)) return String(numerator);
  const endsSoon = 10n ** BigInt(EXACT_DECIMALS) % denominator === 0n;
  const zeros = String(denominator).length - String(abs(numerator)).length;
  const decimals = endsSoon ? EXACT_DECIMALS : abs(numerator) > denominator ? 6 : 7 + zeros;
  return withDecimals(number, decimals).replace(/0+$/, "").replace(/\.$/, ".0");
}

/** The number rounded to so many digits after the point, all of them shown. */
export function withDecimals({ numerator, denominator }: Rational, decimals: number): string {
  const scale = 10n ** BigInt(decimals);
  const doubled = 2n * abs(numerator) * scale;
  const digits = String((doubled + denominator) / (2n * denominator)).padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  const sign = numerator < 0n ? "-" : "";
  return `${sign}${digits.slice(0, point)}${decimals > 0 ? `.${digits.slice(point)}` : ""}`;
}

/**
 * Whether a text shows a number: an integer exactly, in any form (`30`, `30.0`, `+30`, `3e1`);
 * a fraction to a millionth of its size, or rounded or cut after the digits shown.
 */
export function isShownAs(wanted: Rational, text: string): boolean {
  const got = parseRational(text);
  if (got === undefined) return false;
  const scale = wanted.denominator * got.denominator;
  const gap = abs(wanted.numerator * got.denominator - got.numerator * wanted.denominator);
  if (gap === 0n) return true;
  const decimals = shownDecimals(text);
  // An integer is shown exactly, but for the noise in the last digits of a float.
  if (isInteger(wanted)) return !isInteger(got) && gap * 1_000_000n <= scale;
  if (decimals === undefined) return false;
  if (gap * 1_000_000n <= abs(wanted.numerator) * got.denominator) return true;
  const power = 10n ** BigInt(Math.abs(decimals));
  const [gaps, units] = decimals < 0 ? [gap, scale * power] : [gap * power, scale];
  const isCut = gaps < units && compare(absolute(got), absolute(wanted)) < 0;
  return 2n * gaps <= units || isCut;
}

/** Negative if `a` is less than `b`, 0 if they are equal, positive if it is more. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const abs = (value: bigint): bigint => value < 0n ? -value : value;

const absolute = (number: Rational): Rational => ({ ...number, numerator: abs(number.numerator) });
