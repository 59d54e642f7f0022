import {
  calculate,
  compare,
  formatRational,
  integer,
  parseRational,
  withDecimals,
} from "./rational.ts";
import type {
  BinaryFormat,
  Conversation,
  Expression,
  FunctionName,
  Range,
  Rational,
  Talk,
} from "./talk.ts";

/** What a name stands for. A number keeps the form in which it was said. */
export type Value =
  | { readonly kind: "number"; readonly number: Rational; readonly text: string }
  | { readonly kind: "word"; readonly bytes: Uint8Array };

/** The values said so far, by their names. */
export type Values = ReadonlyMap<string, Value>;

/** What is known by now, where only single names are looked up. */
export type Known = Pick<Values, "get">;

/** Numbers from 0 up to 1. */
export type Random = () => number;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

const CONSONANTS = "bdfghjklmnprstvz";
const VOWELS = "aeiou";

export const numberValue = (number: Rational, text = formatRational(number)): Value => ({
  kind: "number",
  number,
  text,
});

/** The value of an expression; `undefined` if it names an unknown value, or divides by zero. */
export function evaluate(expression: Expression, values: Known): Value | undefined {
  switch (expression.kind) {
    case "number":
      return numberValue(expression.number);
    case "name":
      return values.get(expression.name);
    case "call": {
      const argument = evaluate(expression.argument, values);
      return argument === undefined ? undefined : call(expression.name, bytesOfValue(argument));
    }
    case "operation": {
      const left = evaluate(expression.left, values);
      const right = evaluate(expression.right, values);
      if (left?.kind !== "number" || right?.kind !== "number") return undefined;
      const result = calculate(left.number, expression.operator, right.number);
      return result === undefined ? undefined : numberValue(result);
    }
  }
}

function call(name: FunctionName, bytes: Uint8Array): Value {
  if (name === "length") return numberValue(integer(BigInt(bytes.length)));
  return { kind: "word", bytes: changed(bytes, name) };
}

/** Bytes that are not UTF-8 are taken one by one. */
function changed(bytes: Uint8Array, name: "upper" | "lower" | "reverse"): Uint8Array {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    if (name === "reverse") return bytes.toReversed();
    const [first, last] = name === "upper" ? ["a", "z"] : ["A", "Z"];
    return bytes.map((byte) =>
      byte >= first.charCodeAt(0) && byte <= last.charCodeAt(0) ? byte ^ 0x20 : byte
    );
  }
  if (name === "reverse") return encoder.encode([...text].reverse().join(""));
  return encoder.encode(name === "upper" ? text.toUpperCase() : text.toLowerCase());
}

/** A value as it is sent. */
export function bytesOfValue(value: Value): Uint8Array {
  return value.kind === "word" ? value.bytes : encoder.encode(value.text);
}

/** A number in binary; what does not fit is cut, as it is in C. */
export function toBinary({ numerator, denominator }: Rational, format: BinaryFormat): Uint8Array {
  const bytes = new Uint8Array(format.size);
  let rest = BigInt.asUintN(format.size * 8, numerator / denominator);
  for (let index = 0; index < bytes.length; index++) {
    bytes[format.littleEndian ? index : bytes.length - 1 - index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The number that is written in binary. */
export function fromBinary(bytes: Uint8Array, { littleEndian }: BinaryFormat): number {
  const ordered = littleEndian ? bytes.toReversed() : bytes;
  return ordered.reduce((number, byte) => number * 256 + byte, 0);
}

/** Draws what a name stands for: a number of its range, or a word of eight letters. */
export function draw(name: string, { numbers }: Pick<Talk, "numbers">, random: Random): Value {
  const range = numbers.get(name);
  if (range !== undefined) return drawNumber(range, random);
  const pick = (letters: string): string => letters.charAt(Math.floor(random() * letters.length));
  const word = Array.from({ length: 4 }, () => pick(CONSONANTS) + pick(VOWELS)).join("");
  return { kind: "word", bytes: encoder.encode(word) };
}

function drawNumber({ low, high, decimals }: Range, random: Random): Value {
  const scale = 10n ** BigInt(decimals);
  const from = low.numerator * scale / low.denominator;
  const span = high.numerator * scale / high.denominator - from + 1n;
  let drawn = 0n;
  for (let limit = 1n; limit < span << 32n; limit <<= 32n) {
    drawn = (drawn << 32n) + BigInt(Math.floor(random() * 2 ** 32));
  }
  const number = { numerator: from + drawn % span, denominator: scale };
  const text = withDecimals(number, decimals);
  return numberValue(parseRational(text) ?? number, text);
}

/** Whether a number lies within a range, both ends included. */
export function isWithin(number: Rational, { low, high }: Range): boolean {
  return compare(number, low) >= 0 && compare(number, high) <= 0;
}

/** Draws a value for each name that a conversation uses. */
export function drawAll({ lines }: Conversation, talk: Talk, random: Random): Map<string, Value> {
  const drawn = new Map<string, Value>();
  for (const token of lines.flatMap(({ tokens }) => tokens)) {
    if (token.kind !== "value" || token.expression.kind !== "name") continue;
    const { name } = token.expression;
    if (!drawn.has(name)) drawn.set(name, draw(name, talk, random));
  }
  return drawn;
}
