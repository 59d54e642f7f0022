/** The table of a class, for people. */
import { counted } from "../../../text/counted.ts";
import { cutTo, padTo, widthOf } from "../../../text/width.ts";
import { type Display, styled } from "../../../text/display.ts";
import { visible } from "../../../text/visible.ts";
import { firstFailures, levelsIn, type Points, type Row } from "./row.ts";

/** Most columns of a name, on a display of 80. */
const NAME = 20;
/** Least columns for the first failure. */
const MIN_FAILURE = 24;

/** The rows of a table in a class, with a head; lines are cut to the display. */
export function tableLines(rows: readonly Row[], display: Display): string[] {
  const shown = levelsIn(rows);
  const levels = shown.length > 1 ? shown : []; // of one alone, the points say it all
  const head = ["name", "points", ...levels, "time", "first failure"];
  const room = Math.max(NAME, Math.floor(display.columns * NAME / 80));
  const cells = rows.map((row) => [
    cutTo(visible(row.name), room),
    pointsText(row),
    ...levels.map((level) => pointsText(row.levels[level])),
    `${row.seconds.toFixed(1)} s`,
    visible(row.failure),
  ]);
  const last = head.length - 1;
  const widths = head.map((name, column) =>
    Math.max(widthOf(name), ...cells.map((row) => widthOf(row[column] ?? "")))
  );
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  const left = Math.max(MIN_FAILURE, display.columns - before);
  return [head, ...cells].map((row, index) => {
    const aligned = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      if (column === last) return cutTo(cell, left);
      return column === 0 ? padTo(cell, width) : padded(cell, width);
    });
    const line = aligned.join("  ").trimEnd();
    if (index === 0) return styled(line, "dim", display);
    const [name = "", ...rest] = aligned;
    const style = rows[index - 1]?.passedAll ? "green" : "red";
    return `${styled(name, style, display)}  ${rest.join("  ")}`.trimEnd();
  });
}

/** What is below the table: who broke the machine's rules, and how the class did. */
export function linesBelow(rows: readonly Row[], display: Display): string[] {
  const offenders = rows.filter(({ offences }) => offences.length > 0);
  if (offenders.length === 0) return [];
  return [
    "",
    "Broke the machine's rules:",
    ...offenders.map(({ name, offences }) =>
      `  ${styled(visible(name), "yellow", display)}: ${offences.join("; ")}`
    ),
  ];
}

/** `12 of 30 submissions passed all checks; the most common first failure is zero (5 times)`. */
export function classSummary(rows: readonly Row[]): string {
  const passed = rows.filter(({ passedAll }) => passedAll).length;
  const [[id = "", count = 0] = []] = firstFailures(rows);
  const most = count > 1 ? `; the most common first failure is ${id} (${count} times)` : "";
  return `${passed} of ${counted(rows.length, "submission")} passed all checks${most}`;
}

/** `11/12`; a dash if nothing was counted. */
function pointsText({ passed, of }: Points = { passed: 0, of: 0 }): string {
  return of === 0 ? "-" : `${passed}/${of}`;
}

/** A number is aligned to the right. */
function padded(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - widthOf(text))) + text;
}
