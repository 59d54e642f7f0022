/** The table of a class: for people, and for spreadsheets. */
import { counted } from "../../../text/counted.ts";
import { cutTo, widthOf } from "../../../text/width.ts";
import { type Display, type Style, styled } from "../../../text/display.ts";
import { visible } from "../../../text/visible.ts";
import { firstFailures, levelsIn, pointsText, type Row, shownLevels } from "./row.ts";

/** Least columns of a name, and of a first failure, on a narrow display. */
const MIN_NAME = 12;
const MIN_FAILURE = 16;
/** Between two columns. */
const GAP = "  ";

/** The rows of a class in a table with a head; what is too long for the display is cut. */
export function tableLines(rows: readonly Row[], display: Display): string[] {
  const levels = shownLevels(rows);
  const head = ["points", ...levels, "time"];
  const numbers = rows.map((row) => [
    pointsText(row),
    ...levels.map((level) => pointsText(row.levels[level])),
    `${row.seconds.toFixed(1)} s`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...numbers.map((cells) => cells[column]?.length ?? 0))
  );
  const between = widths.reduce((sum, width) => sum + width + GAP.length, GAP.length);
  const names = rows.map(({ name }) => visible(name));
  const longest = Math.max("name".length, ...names.map(widthOf));
  const room = display.columns - between;
  const nameWidth = Math.min(longest, Math.max(MIN_NAME, Math.floor(room / 2)));
  const left = Math.max(MIN_FAILURE, room - nameWidth);
  const line = (name: string, cells: readonly string[], failure: string, style: Style): string => {
    const padding = " ".repeat(nameWidth - widthOf(name));
    const aligned = cells.map((cell, column) => cell.padStart(widths[column] ?? 0));
    const rest = [padding + GAP + aligned.join(GAP), cutTo(failure, left)].join(GAP);
    return styled(name, style, display) + rest.trimEnd();
  };
  return [
    line("name", head, "first failure", "dim"),
    ...rows.map(({ passedAll, failure }, index) => {
      const name = cutTo(names[index] ?? "", nameWidth);
      return line(name, numbers[index] ?? [], visible(failure), passedAll ? "green" : "red");
    }),
  ];
}

/** The table, and below it who broke the machine's rules. */
export function tableWithNotes(rows: readonly Row[], display: Display): string[] {
  const offenders = rows.filter(({ offences }) => offences.length > 0);
  const notes = offenders.map(({ name, offences }) =>
    `  ${styled(visible(name), "yellow", display)}: ${offences.join("; ")}`
  );
  const below = notes.length === 0 ? [] : ["", "Broke the machine's rules:", ...notes];
  return [...tableLines(rows, display), ...below];
}

/** `12 of 30 submissions passed all checks; the most common first failure is zero (5 times)`. */
export function classSummary(rows: readonly Row[]): string {
  const passed = rows.filter(({ passedAll }) => passedAll).length;
  const [[id = "", count = 0] = []] = firstFailures(rows);
  const most = count > 1 ? `; the most common first failure is ${id} (${count} times)` : "";
  return `${passed} of ${counted(rows.length, "submission")} passed all checks${most}`;
}

/** The table as CSV (RFC 4180), for spreadsheets and gradebooks. */
export function csvOf(rows: readonly Row[]): string {
  const levels = levelsIn(rows);
  const head = [
    ...["submission", "points", "of"],
    ...levels.flatMap((level) => [level, `${level} of`]),
    ...["first failure", "offences", "seconds"],
  ];
  const lines = rows.map((row) => [
    ...[row.name, row.passed, row.of],
    ...levels.flatMap((level) => [row.levels[level]?.passed ?? 0, row.levels[level]?.of ?? 0]),
    ...[row.failure, row.offences.join("; "), row.seconds.toFixed(1)],
  ]);
  return [head, ...lines].map((cells) => `${cells.map(cellOf).join(",")}\r\n`).join("");
}

/** A spreadsheet would calculate a text that begins like a formula: an apostrophe prevents that. */
function cellOf(value: string | number): string {
  const text = visible(String(value));
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
