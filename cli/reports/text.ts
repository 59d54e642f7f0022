import type { Output } from "../output.ts";
import { padTo } from "../../text/width.ts";
import { type Display, type Style, styled } from "../../text/display.ts";
import { visible } from "../../text/visible.ts";
import type { Report, Result, Status, Summary } from "./result.ts";

/** How rows for people are laid out. */
export interface Layout {
  /** Columns that each cell of a row takes at least; the last needs none. @default {as they come} */
  readonly widths?: readonly number[] | undefined;
  /** What stands before a failure. @default {"NOT"} */
  readonly failed?: "NOT" | "FAIL" | undefined;
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

/** For people: a row a result, as soon as it is there, and what else is known of it below. */
export class TextReport implements Report {
  readonly #stdout: Output;
  readonly #display: Display;
  readonly #failed: string;
  #widths: readonly number[];

  constructor(stdout: Output, display: Display, layout: Layout) {
    this.#stdout = stdout;
    this.#display = display;
    this.#failed = layout.failed ?? "NOT";
    this.#widths = layout.widths ?? [];
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
    const row = [padding, ...cells].join(" ").trimEnd();
    this.#stdout.text(`${styled(shown, style, this.#display)}${row}\n`);
    for (const line of linesBelow(result)) this.#stdout.text(`${line}\n`);
  }

  async end({ text }: Summary): Promise<void> {
    if (text !== undefined) this.#stdout.text(`${visible(text)}\n`);
    await this.#stdout.flush();
  }
}

/** `      sent  10 0 /`: what is more than a row holds, with its name before it. */
function linesBelow({ more = {} }: Result): string[] {
  const width = Math.max(0, ...Object.keys(more).map((name) => name.length));
  const indent = " ".repeat(MARK_WIDTH + 2);
  return Object.entries(more).flatMap(([name, text]) =>
    text.split("\n").map((line, index) =>
      `${indent}${(index === 0 ? name : "").padEnd(width)}  ${visible(line)}`.trimEnd()
    )
  );
}
