import { lengthKey } from "./captures.ts";
import type { Follower } from "./places.ts";
import { integer, isShownAs, parseRational } from "./rational.ts";
import { type Expression, measuredName, type Talk, type Token, type ValueToken } from "./talk.ts";
import {
  evaluate,
  fromBinary,
  isWithin,
  type Known,
  numberValue,
  toBinary,
  type Value,
} from "./value.ts";

/** What must stand where a file has a value, as far as its name is known by now. */
export type Want =
  /** These bytes. */
  | { readonly kind: "literal"; readonly bytes: Uint8Array }
  /** So many bytes, which give a value if `read` takes them. */
  | Capture & { readonly kind: "fixed"; readonly size: number; read(bytes: Uint8Array): Read }
  /** A number in digits. `isOpen` if the other side chooses it. */
  | Capture & { readonly kind: "number"; readonly isOpen: boolean; read(text: string): Read }
  /** A word that the other side chooses. */
  | Capture & { readonly kind: "word" };

interface Capture {
  /** The name that it gives a value to, if it gives any. */
  readonly name: string | undefined;
}

/** What was read, `undefined` if it is wrong. */
type Read = Value | undefined;

/** What must stand where the token is. */
export function wantOf(token: ValueToken, values: Known, numbers: Talk["numbers"]): Want {
  const { expression, binary, range } = token;
  const wanted = evaluate(expression, values);
  const measured = measuredName(expression);
  const name = expression.kind === "name" ? expression.name : measured && lengthKey(measured);
  if (wanted?.kind === "word") return { kind: "literal", bytes: wanted.bytes };
  if (wanted !== undefined && binary !== undefined) {
    return { kind: "literal", bytes: toBinary(wanted.number, binary) };
  }
  if (wanted !== undefined) {
    const read = (text: string): Read => isShownAs(wanted.number, text) ? wanted : undefined;
    return { kind: "number", isOpen: false, name: undefined, read };
  }

  const inRange = (value: Value | undefined): Read =>
    value?.kind === "number" && range !== undefined && !isWithin(value.number, range)
      ? undefined
      : value;
  if (binary !== undefined) {
    const read = (bytes: Uint8Array): Read =>
      inRange(numberValue(integer(BigInt(fromBinary(bytes, binary)))));
    return { kind: "fixed", size: binary.size, name, read };
  }
  if (isNumeric(expression, numbers)) {
    const read = (text: string): Read => {
      const number = parseRational(text);
      return number === undefined ? undefined : inRange(numberValue(number, text));
    };
    return { kind: "number", isOpen: true, name, read };
  }
  const length = name === undefined ? undefined : values.get(lengthKey(name));
  if (length?.kind !== "number") return { kind: "word", name };
  const size = Number(length.number.numerator);
  return { kind: "fixed", size, name, read: (bytes) => ({ kind: "word", bytes }) };
}

/** What shows where a hole ends, by the token behind it. */
export function followerOf(
  token: Token | undefined,
  values: Known,
  numbers: Talk["numbers"],
): Follower {
  switch (token?.kind) {
    case undefined:
    case "end":
      return { kind: "end" };
    case "bytes":
      return { kind: "literal", bytes: token.bytes };
    case "newline":
      return { kind: "newline" };
    case "value": {
      const want = wantOf(token, values, numbers);
      if (want.kind === "literal") return want;
      return { kind: want.kind === "number" ? "number" : "any" };
    }
    default:
      return { kind: "any" };
  }
}

/** Whether an expression whose value is not known stands for a number. */
function isNumeric(expression: Expression, numbers: Talk["numbers"]): boolean {
  if (expression.kind === "name") return numbers.has(expression.name);
  return expression.kind !== "call" || expression.name === "length";
}
