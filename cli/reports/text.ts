import type { Output } from "../output/output.ts";
import { padTo, widthOf, wrap } from "../../text/width.ts";
import { type Display, type Style, styled } from "../../text/display.ts";
import { visible } from "../../text/visible.ts";
import type { Report, Result, Status } from "./report.ts";

/** How rows for people are laid out. */
export interface Layout<R extends Result> {
  /** The cells of a result's row, after its mark. @default {its sentence and detail} */
  row?(result: R): readonly string[];
  /** Whether a result has a row; the last line of the report speaks of the others. @default {yes} */
  hasRow?(result: R): boolean;
  /** Least width of each cell; the last needs none. @default {none} */
  readonly widths?: readonly number[] | undefined;
  /** The mark of a failure. @default {"NOT"} */
  readonly failed?: "NOT" | "FAIL" | undefined;
}

/** How rows are drawn. */
export interface TextOptions<R extends Result> extends Layout<R> {
  readonly display: Display;
  /** Whether to wrap rows that are wider than the display: a program reads each from one line. */
  readonly isTerminal: boolean;
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
export function textReport<R extends Result>(
  stdout: Output,
  { display, isTerminal, row = plainRow, hasRow, widths = [], failed = "NOT" }: TextOptions<R>,
): Report<R> {
  const lineWidth = isTerminal ? display.columns : Infinity;
  return {
    add(all) {
      const results = all.filter((result) => hasRow?.(result) ?? true);
      const rows = results.map((result) => row(result).map(visible));
      const aligned = widthsOf(rows, widths);
      results.forEach((result, index) => {
        const [word, style] = marks[result.status];
        const mark = result.status === "fail" ? failed : word;
        const cells = (rows[index] ?? []).map((cell, column) => padTo(cell, aligned[column] ?? 0));
        const padding = " ".repeat(MARK_WIDTH - mark.length);
        const [first = "", ...rest] = fitted([mark + padding, ...cells], lineWidth);
        stdout.text(`${styled(mark, style, display)}${first.slice(mark.length)}\n`);
        for (const line of [...rest, ...linesBelow(result, lineWidth)]) stdout.text(`${line}\n`);
      });
    },
    async end({ text }) {
      if (text !== undefined) stdout.text(`${visible(text)}\n`);
      await stdout.flush();
    },
  };
}

function plainRow({ sentence, detail = "" }: Result): readonly string[] {
  return [sentence, detail];
}

/** The width of each column but the last, so that all rows are aligned. */
function widthsOf(
  rows: readonly (readonly string[])[],
  least: readonly number[],
): readonly number[] {
  const widths = [...least];
  for (const cells of rows) {
    cells.slice(0, -1).forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    });
  }
  return widths;
}

/** Returns a row as one line or, if that is too long, with the last cell below it. */
function fitted(cells: readonly string[], lineWidth: number): readonly string[] {
  const row = cells.join(" ").trimEnd();
  if (widthOf(row) <= lineWidth || cells.length < 3) return [row];
  const lines = wrap((cells.at(-1) ?? "").trimEnd(), lineWidth - INDENT.length);
  return [cells.slice(0, -1).join(" ").trimEnd(), ...lines.map((line) => INDENT + line)];
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
