/** What a conversation file holds: {@linkcode Talk}. docs/conversations.md describes the format. */

/** An exact number: a fraction, whose denominator is 1 for an integer and never negative. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** A calculation in braces, such as `{a + b}`. */
export type Expression =
  | { readonly kind: "number"; readonly number: Rational }
  | { readonly kind: "name"; readonly name: string; readonly column: number }
  | { readonly kind: "call"; readonly name: FunctionName; readonly argument: Expression }
  | {
    readonly kind: "operation";
    readonly operator: Operator;
    readonly left: Expression;
    readonly right: Expression;
  };

export type Operator = "+" | "-" | "*" | "/" | "//" | "%";

/** Functions of a word; `length` counts its bytes. */
export const functionNames = ["upper", "lower", "reverse", "length"] as const;
export type FunctionName = typeof functionNames[number];

/** How a number is written in binary: `u16` has two bytes in network order, `u16le` the lower byte first. */
export interface BinaryFormat {
  readonly size: 1 | 2 | 4;
  readonly littleEndian: boolean;
}

/** The formats by their names in a file. */
export const binaryFormats: Readonly<Record<string, BinaryFormat>> = {
  u8: { size: 1, littleEndian: false },
  u16: { size: 2, littleEndian: false },
  u32: { size: 4, littleEndian: false },
  u16le: { size: 2, littleEndian: true },
  u32le: { size: 4, littleEndian: true },
};

/** The numbers that a name may stand for, both ends included. */
export interface Range {
  readonly low: Rational;
  readonly high: Rational;
  /** Digits after the point. */
  readonly decimals: number;
}

/** A part of a line. `column` is where it begins in the file's line, from 1. */
export type Token =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly column: number }
  /** `\n`: LF is sent, CRLF is accepted as well. */
  | { readonly kind: "newline"; readonly column: number }
  /** At the end of a line that does not show its end: a line end may follow or not. */
  | { readonly kind: "optional newline"; readonly column: number }
  /** `{...}` */
  | { readonly kind: "anything"; readonly column: number }
  | ValueToken
  /** `{length as u16}`: the number of bytes that follow on this line. */
  | { readonly kind: "length"; readonly binary: BinaryFormat; readonly column: number }
  /** `{end}` */
  | { readonly kind: "end"; readonly column: number };

/** `{name}`, `{a 1..50}`, `{a + b}`, `{n as u16}` */
export interface ValueToken {
  readonly kind: "value";
  readonly expression: Expression;
  /** Only if this very place shows one. */
  readonly range: Range | undefined;
  readonly binary: BinaryFormat | undefined;
  /** As in the file, with its braces. */
  readonly source: string;
  readonly column: number;
}

/** One line of a conversation. */
export interface Line {
  /**
   * Who says it. `mistake`: what a client may send here wrongly. `typed`: what the user of a
   * client types here.
   */
  readonly says: "client" | "server" | "mistake" | "typed";
  /** Which of several clients; empty if there is one. */
  readonly client: string;
  readonly tokens: readonly Token[];
  /** The whole line as in the file. */
  readonly source: string;
  /** Where it is in the file, from 1. */
  readonly number: number;
  /** The comment right above it. */
  readonly comment: string | undefined;
}

/** What is said on one connection, or on one for each of several clients. */
export interface Conversation {
  /** Empty if the file gives none. */
  readonly title: string;
  readonly lines: readonly Line[];
  /** Where it begins in the file, from 1. */
  readonly number: number;
}

/** A whole file. */
export interface Talk {
  /** Whether each line is a datagram. */
  readonly udp: boolean;
  /** At least one. */
  readonly conversations: readonly Conversation[];
  /** The names that stand for numbers, with what is drawn for them; all others stand for words. */
  readonly numbers: ReadonlyMap<string, Range>;
}

/** Whether clients are told apart by names in a file, as they hold a conversation together. */
export function namesClients({ conversations }: Talk): boolean {
  return conversations.some(({ lines }) => lines.some(({ client }) => client !== ""));
}

/** Calls `visit` for each name in an expression. */
export function visitNames(
  expression: Expression,
  visit: (name: string, column: number, use: "alone" | "number" | "word") => void,
  use: "alone" | "number" | "word" = "alone",
): void {
  switch (expression.kind) {
    case "number":
      return;
    case "name":
      return visit(expression.name, expression.column, use);
    case "call":
      return visitNames(expression.argument, visit, "word");
    case "operation":
      visitNames(expression.left, visit, "number");
      visitNames(expression.right, visit, "number");
  }
}

/** The names in parts of a line, calculations included. */
export function namesIn(tokens: readonly Token[]): readonly string[] {
  const names: string[] = [];
  for (const token of tokens) {
    if (token.kind === "value") visitNames(token.expression, (name) => names.push(name));
  }
  return names;
}

/** `name` for `{length(name)}`: the one calculation that may stand before its name is known. */
export function measuredName(expression: Expression): string | undefined {
  if (expression.kind !== "call" || expression.name !== "length") return undefined;
  return expression.argument.kind === "name" ? expression.argument.name : undefined;
}

/** Whether a line holds numbers in binary, so that no line end is meant. */
export function isBinary(tokens: readonly Token[]): boolean {
  return tokens.some((token) =>
    token.kind === "length" || (token.kind === "value" && token.binary !== undefined)
  );
}

/** Whether a line is filled up with NULs, to a fixed size. */
export function isPadded(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1);
  return last?.kind === "bytes" && last.bytes.at(-1) === 0 && last.bytes.at(-2) === 0;
}

/** Whether a line shows where its message ends: with a line end, a NUL, a length, or a fixed size. */
export function isFramed(tokens: readonly Token[]): boolean {
  if (tokens.some(({ kind }) => kind === "length")) return true;
  const last = tokens.at(-1);
  if (last?.kind === "newline") return true;
  if (last?.kind === "bytes" && [0, 10].includes(last.bytes.at(-1) ?? -1)) return true;
  return isBinary(tokens) &&
    tokens.every((token) =>
      token.kind === "bytes" || (token.kind === "value" && token.binary !== undefined)
    );
}
