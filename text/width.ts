import { eastAsianWidth } from "get-east-asian-width";
import { once } from "./once.ts";
import { visible, visibleBytes } from "./visible.ts";

/** Text whose characters take one column each, as nearly all do. */
const PRINTABLE_ASCII = /^[ -~]*$/;
// Created on first use, not as literals, which are compiled when the module is loaded: that alone
// would make a short command take half as long again.
/** Splits text into characters as a reader sees them. */
const segmenter = once(() => new Intl.Segmenter(undefined, { granularity: "grapheme" }));
const emoji = once(() => new RegExp("^\\p{RGI_Emoji}$", "v"));
/** Leading code points that are not shown. */
const unseen = once(() =>
  new RegExp(
    "^[\\p{Default_Ignorable_Code_Point}\\p{Control}\\p{Format}\\p{Mark}\\p{Surrogate}]+",
    "v",
  )
);

/** Columns that a text takes on a terminal; the text must not contain escape sequences. */
export function widthOf(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter().segment(text)) width += widthOfGrapheme(segment);
  return width;
}

function widthOfGrapheme(grapheme: string): number {
  if (emoji().test(grapheme)) return 2;
  const codePoint = grapheme.replace(unseen(), "").codePointAt(0);
  return codePoint === undefined ? 0 : eastAsianWidth(codePoint);
}

/** A text padded with spaces to a width. */
export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** A text cut to a width, with `...` if something is missing; no character is split. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (PRINTABLE_ASCII.test(text)) return `${text.slice(0, Math.max(0, width - "...".length))}...`;
  let kept = "";
  let used = "...".length;
  for (const { segment } of segmenter().segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}...`;
}

/** Bytes as text in quotes, as `visibleBytes` shows them, cut to a width of columns. */
export function quoteBytes(bytes: Uint8Array, width: number, unicode = true): string {
  // No more bytes than these are shown, however long the data is.
  const head = bytes.subarray(0, width * 4);
  const text = visibleBytes(head, (text) => visible(text.replaceAll(/["\\]/g, "\\$&")));
  return `"${cutTo(unicode ? text : asciiOnly(text), width - 2)}"`;
}

/** A text with its characters beyond ASCII replaced by their code points. */
export function asciiOnly(text: string): string {
  return text.replaceAll(
    // deno-lint-ignore no-control-regex -- all of ASCII is what is meant
    /[^\x00-\x7f]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** Breaks text into lines between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
