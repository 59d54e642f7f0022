import type { Output } from "../output/output.ts";
import { padTo, widthOf, wrap } from "../../text/width.ts";
import { type Display, type Style, styled } from "../../text/display.ts";
import { visible } from "../../text/visible.ts";
import type { Report, Result, Status, Summary } from "./result.ts";

/** How rows for people are laid out. */
export interface Layout {
  /** Least width of each cell in a row; the last needs none. @default {none} */
  readonly widths?: readonly number[] | undefined;
  /** The mark of a failure. @default {"NOT"} */
  readonly failed?: "NOT" | "FAIL" | undefined;
}

/** How rows are drawn, and how wide a line may be. */
export interface TextOptions extends Layout {
  readonly display: Display;
  /** Columns of a line, beyond which rows are wrapped. @default {unlimited} */
  readonly lineWidth?: number | undefined;
}

const marks: Record<Status, readonly [mark: string, style: Style]> = {
  pass: ["ok", "green"],
  note: ["note", "yellow"],
  fail: ["NOT", "red"],
  allowed: ["note", "yellow"],
  skip: ["skip", "dim"],
  "not-judged": ["-", "dim"],
};

const MARK_WIDTH = 4;
/** Indentation of the lines below a row. */
const INDENT = " ".repeat(MARK_WIDTH + 2);

/** For people: one row per result, as soon as it is known, with further details below. */
export class TextReport implements Report {
  readonly #stdout: Output;
  readonly #display: Display;
  readonly #failed: string;
  readonly #lineWidth: number;
  #widths: readonly number[];

  constructor(stdout: Output, options: TextOptions) {
    this.#stdout = stdout;
    this.#display = options.display;
    this.#failed = options.failed ?? "NOT";
    this.#lineWidth = options.lineWidth ?? Infinity;
    this.#widths = options.widths ?? [];
  }

  columns(widths: readonly number[]): void {
    this.#widths = widths;
  }

  event(): void {}

  add(result: Result): void {
    const [mark, style] = marks[result.status];
    const shown = result.status === "fail" ? this.#failed : mark;
    const cells = result.cells.map((cell, column) =>
      padTo(visible(cell), this.#widths[column] ?? 0)
    );
    const padding = " ".repeat(MARK_WIDTH - shown.length);
    const [row = "", ...rest] = this.#fitted([padding, ...cells], MARK_WIDTH - padding.length);
    this.#stdout.text(`${styled(shown, style, this.#display)}${row}\n`);
    for (const line of [...rest, ...linesBelow(result, this.#lineWidth)]) {
      this.#stdout.text(`${line}\n`);
    }
  }

  /** Returns a row as one line or, if that is too long, with the last cell below it. */
  #fitted(cells: readonly string[], markWidth: number): readonly string[] {
    const row = cells.join(" ").trimEnd();
    if (markWidth + widthOf(row) <= this.#lineWidth || cells.length < 3) return [row];
    const last = cells.at(-1) ?? "";
    const lines = wrap(last.trimEnd(), this.#lineWidth - INDENT.length);
    return [cells.slice(0, -1).join(" ").trimEnd(), ...lines.map((line) => INDENT + line)];
  }

  async end({ text }: Summary): Promise<void> {
    if (text !== undefined) this.#stdout.text(`${visible(text)}\n`);
    await this.#stdout.flush();
  }
}

/** Returns the further details of a result, each with its name: `      sent  10 0 /`. */
function linesBelow({ more = {} }: Result, lineWidth: number): string[] {
  const width = Math.max(0, ...Object.keys(more).map((name) => name.length));
  const room = lineWidth - INDENT.length - width - 2;
  return Object.entries(more).flatMap(([name, text]) =>
    text.split("\n").flatMap((line) => wrapIndented(visible(line), room)).map((line, index) =>
      `${INDENT}${(index === 0 ? name : "").padEnd(width)}  ${line}`.trimEnd()
    )
  );
}

/** Wraps a line and keeps its indentation, which may put a caret under the byte it refers to. */
function wrapIndented(line: string, room: number): string[] {
  if (widthOf(line) <= room) return [line];
  const text = line.trimStart();
  const indent = " ".repeat(line.length - text.length);
  return wrap(text, Math.max(room - indent.length, room / 3)).map((part) => indent + part);
}
