import { newlineAt } from "./take.ts";
import type { Line, Token } from "./talk.ts";

/** A token and the line that it is from. */
export interface Part {
  readonly token: Token;
  readonly line: Line;
}

/** The tokens of lines whose bytes are one stream. */
export function partsOf(lines: readonly Line[], mayBeginWithNewline: boolean): Part[] {
  const parts: Part[] = lines.flatMap((line) => line.tokens.map((token) => ({ token, line })));
  const [first] = parts;
  if (mayBeginWithNewline && first !== undefined) {
    parts.unshift({ token: { kind: "optional newline", column: 1 }, line: first.line });
  }
  // A line end that must come is not taken for one that may.
  return parts.filter(({ token }, index) =>
    token.kind !== "optional newline" || !beginsWithNewline(parts[index + 1]?.token)
  );
}

/** Whether a line end must stand where a token does. */
export function beginsWithNewline(token: Token | undefined): boolean {
  return token?.kind === "bytes" ? newlineAt(token.bytes, 0) > 0 : token?.kind === "newline";
}

/** What a length counts: the tokens behind it on its line, but for an `{end}`. */
export function restOfLine(parts: readonly Part[], index: number): readonly Part[] {
  const end = parts.findIndex(({ line, token }, at) =>
    at > index && (line !== parts[index]?.line || token.kind === "end")
  );
  return parts.slice(index + 1, end < 0 ? parts.length : end);
}
