/** What an output of text can show. */
export interface Display {
  /** Columns of a line. */
  readonly columns: number;
  readonly color: boolean;
  /** Whether it shows characters beyond ASCII. */
  readonly unicode: boolean;
}

const styles = { dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

/** A colour or weight of text. */
export type Style = keyof typeof styles;

/** Text in a style, if the display has colours. */
export function styled(text: string, style: Style, display: Display): string {
  return display.color && text !== "" ? `\x1b[${styles[style]}m${text}\x1b[0m` : text;
}
