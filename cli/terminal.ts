/** How text may look where it goes to. */
export interface Look {
  /** Columns of a line. */
  readonly columns: number;
  readonly color: boolean;
  /** Whether characters beyond ASCII may be drawn. */
  readonly unicode: boolean;
}

const DEFAULT_COLUMNS = 80;
/** Narrower than this nothing can be drawn: lines are then longer than the terminal. */
const LEAST_COLUMNS = 72;

/**
 * The look of stdout or stderr: colour only at a terminal and without NO_COLOR
 * (no-color.org), width from the terminal or COLUMNS, characters beyond ASCII
 * only in a UTF-8 locale (POSIX: LC_ALL, LC_CTYPE, LANG, the first that is set).
 */
export function lookOf(stream: { isTerminal(): boolean }): Look {
  return {
    columns: Math.max(LEAST_COLUMNS, columnsOf(stream)),
    color: stream.isTerminal() && !Deno.noColor,
    unicode: isUtf8Locale(),
  };
}

function columnsOf(stream: { isTerminal(): boolean }): number {
  const given = Number(Deno.env.get("COLUMNS"));
  if (given > 0) return given;
  try {
    return stream.isTerminal() ? Deno.consoleSize().columns : DEFAULT_COLUMNS;
  } catch {
    return DEFAULT_COLUMNS;
  }
}

function isUtf8Locale(): boolean {
  if (Deno.build.os === "windows") return true; // its terminals are, and it has no such variables
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map((name) => Deno.env.get(name)).find(Boolean);
  return /utf-?8/i.test(locale ?? "");
}

const styles = { dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

/** A colour or weight of text. */
export type Style = keyof typeof styles;

/** Text in a style, where the look has colours. */
export function styled(text: string, style: Style, look: Look): string {
  return look.color && text !== "" ? `\x1b[${styles[style]}m${text}\x1b[0m` : text;
}
