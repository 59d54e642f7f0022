/** What is wrong with a conversation file, with the facts that its words need. */
export type TalkProblem =
  /** The file as a whole. */
  | { readonly kind: "file too large"; readonly most: number }
  | { readonly kind: "no server" }
  | { readonly kind: "no lines" }
  /** A line's beginning. */
  /** `meant`: the line that was likely meant. */
  | { readonly kind: "unknown line"; readonly meant: string }
  | { readonly kind: "late udp" }
  | { readonly kind: "named mistake" }
  | { readonly kind: "no space"; readonly sign: string; readonly text: string }
  | { readonly kind: "space at end" }
  /** Its text. */
  | { readonly kind: "unknown escape"; readonly escape: string }
  | { readonly kind: "not closed" }
  | { readonly kind: "spaced name"; readonly name: string; readonly source: string }
  /** A value. */
  | { readonly kind: "unknown format"; readonly format: string }
  | { readonly kind: "bare length" }
  | { readonly kind: "range of calculation" }
  | { readonly kind: "empty range"; readonly low: string; readonly high: string }
  | { readonly kind: "range too wide"; readonly format: string }
  | { readonly kind: "no operand"; readonly found: string }
  | { readonly kind: "no parenthesis" }
  | { readonly kind: "unknown function"; readonly name: string }
  | { readonly kind: "reserved name"; readonly name: string }
  | { readonly kind: "not a value"; readonly rest: string }
  | { readonly kind: "calculation too long"; readonly most: number }
  /** What lines mean together. */
  | { readonly kind: "word and number"; readonly name: string; readonly numberLine: number }
  | { readonly kind: "unknown name"; readonly name: string; readonly meant: string }
  | {
    readonly kind: "likely slip";
    readonly name: string;
    readonly meant: string;
    readonly meantLine: number;
  }
  | { readonly kind: "after end" }
  | { readonly kind: "line after end"; readonly says: string; readonly endLine: number }
  | { readonly kind: "end of datagrams" }
  | { readonly kind: "server first" };

/** A conversation file is wrong: where, and how. `line` and `column` count from 1. */
export class TalkError extends Error {
  override readonly name = "TalkError";
  readonly line: number;
  readonly column: number;
  readonly problem: TalkProblem;

  constructor(line: number, column: number, problem: TalkProblem) {
    super(`Cannot read a conversation at ${line}:${column}: ${problem.kind}`);
    this.line = line;
    this.column = column;
    this.problem = problem;
  }
}
