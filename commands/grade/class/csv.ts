/** The table of a class as CSV (RFC 4180), for spreadsheets and gradebooks. */
import { visible } from "../../../text/visible.ts";
import { levelsIn, type Row } from "./row.ts";

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
