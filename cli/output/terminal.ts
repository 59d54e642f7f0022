import { os } from "../../sockets/system.ts";
import type { Display } from "../../text/display.ts";

/** The size of a terminal that does not know its own. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };
/** On a narrower terminal, lines are longer than the terminal. */
const MIN_COLUMNS = 40;

/**
 * Returns how to draw text on stdout or stderr: in colour only at a terminal that
 * is not `dumb` and without NO_COLOR (no-color.org), with the width of COLUMNS or
 * of the terminal, and with characters beyond ASCII only in a UTF-8 locale (POSIX:
 * the first that is set of LC_ALL, LC_CTYPE, LANG), or at a terminal of Windows.
 */
export function displayOf(stream: { isTerminal(): boolean }): Display {
  return {
    columns: Math.max(MIN_COLUMNS, columnsOf(stream)),
    color: stream.isTerminal() && !Deno.noColor && Deno.env.get("TERM") !== "dumb",
    unicode: isWindowsTerminal(stream) || isUtf8Locale(),
  };
}

function columnsOf(stream: { isTerminal(): boolean }): number {
  const given = Number(Deno.env.get("COLUMNS"));
  return given > 0 ? given : sizeOf(stream).columns;
}

/** Columns and rows of the terminal that a stream goes to: 80 by 24 if it has no size, or is none. */
export function sizeOf(stream: { isTerminal(): boolean }): { columns: number; rows: number } {
  try {
    const { columns, rows } = stream.isTerminal() ? Deno.consoleSize() : DEFAULT_SIZE;
    // A serial console, or one that a program has just opened, says 0.
    return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
  } catch {
    return DEFAULT_SIZE;
  }
}

/** Terminals of Windows are UTF-8, without these variables; PowerShell reads a pipe as another code. */
function isWindowsTerminal(stream: { isTerminal(): boolean }): boolean {
  return os === "windows" && stream.isTerminal();
}

function isUtf8Locale(): boolean {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map((name) => Deno.env.get(name)).find(Boolean);
  return /utf-?8/i.test(locale ?? "");
}
