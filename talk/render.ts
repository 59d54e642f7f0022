import { concat } from "@std/bytes/concat";
import { escapeBytes, escapeWithin } from "./escape.ts";
import { formatRational, integer } from "./rational.ts";
import { type Line, measuredName, type Talk, type Token, type ValueToken } from "./talk.ts";
import {
  bytesOfValue,
  draw,
  evaluate,
  type Random,
  toBinary,
  type Value,
  type Values,
} from "./value.ts";

const encoder = new TextEncoder();

/** What {@linkcode render} needs besides the line. */
export interface RenderOptions {
  readonly talk: Pick<Talk, "numbers">;
  readonly random: Random;
  /** What is sent where the file leaves a line's end open. @default {""} */
  readonly lineEnd?: string;
}

/** The bytes of a line. Values that it is the first to name are drawn and added to `values`. */
export function render(
  tokens: readonly Token[],
  values: Map<string, Value>,
  options: RenderOptions,
): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "length") {
      const rest = render(tokens.slice(index + 1), values, options);
      pieces.push(toBinary(integer(BigInt(rest.length)), token.binary), rest);
      break;
    }
    pieces.push(pieceOf(token, values, options));
  }
  return concat(pieces);
}

function pieceOf(
  token: Exclude<Token, { kind: "length" }>,
  values: Map<string, Value>,
  options: RenderOptions,
): Uint8Array {
  switch (token.kind) {
    case "bytes":
      return token.bytes;
    case "newline":
      return encoder.encode("\n");
    case "optional newline":
      return encoder.encode(options.lineEnd ?? "");
    case "value":
      return valueOf(token, values, options);
    case "anything":
    case "end":
      return new Uint8Array();
  }
}

function valueOf(
  { expression, binary }: ValueToken,
  values: Map<string, Value>,
  { talk, random }: RenderOptions,
): Uint8Array {
  const first = expression.kind === "name" ? expression.name : measuredName(expression);
  if (first !== undefined && !values.has(first)) values.set(first, draw(first, talk, random));
  const value = evaluate(expression, values);
  // What can't be calculated, such as a division by zero, is left out.
  if (value === undefined) return new Uint8Array();
  if (binary === undefined) return bytesOfValue(value);
  return value.kind === "number" ? toBinary(value.number, binary) : value.bytes;
}

/** Lines as they should have come, as a file would show them: with these values, where they are known. */
export function describe(lines: readonly Line[], values: Values): string {
  const tokens = lines.flatMap((line) => line.tokens);
  return tokens.map((token) => describeToken(token, values)).join("");
}

function describeToken(token: Token, values: Values): string {
  switch (token.kind) {
    case "bytes":
      return escapeWithin(token.bytes);
    case "newline":
      return "\\n";
    case "optional newline":
      return "";
    case "anything":
      return "{...}";
    case "end":
      return "{end}";
    case "length":
      return "{length}";
    case "value": {
      const value = evaluate(token.expression, values);
      if (value === undefined) return token.source;
      if (value.kind === "word") return escapeBytes(value.bytes);
      return token.binary === undefined
        ? formatRational(value.number)
        : escapeBytes(toBinary(value.number, token.binary));
    }
  }
}
