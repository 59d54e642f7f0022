import { eastAsianWidth } from "get-east-asian-width";
import { visible } from "./visible.ts";

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Characters that take one column each: nearly all text has no others. */
const PRINTABLE_ASCII = /^[ -~]*$/;
// Made when they are needed, and not as literals, which are looked at when the module is loaded:
// that alone would make a short command half as long again.
/** Finds characters as a reader sees them. */
const segmenter = once(() => new Intl.Segmenter(undefined, { granularity: "grapheme" }));
const emoji = once(() => new RegExp("^\\p{RGI_Emoji}$", "v"));
/** What is not shown, alone or before what is. */
const unseen = once(() =>
  new RegExp(
    "^[\\p{Default_Ignorable_Code_Point}\\p{Control}\\p{Format}\\p{Mark}\\p{Surrogate}]+",
    "v",
  )
);

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

/** Columns that a text takes at a terminal; text with escapes in it is not meant. */
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

/** A text with spaces up to a width. */
export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** A text cut to a width, with `...` where something is missing; no character is torn. */
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

/** Bytes as text in quotes, unsafe characters escaped, cut to a width of columns. */
export function quoteBytes(bytes: Uint8Array, width: number, unicode = true): string {
  // More bytes than columns are never shown, however long the data is.
  const head = lenient.decode(bytes.subarray(0, width * 4));
  const text = visible(head.replaceAll("\\", "\\\\").replaceAll('"', '\\"'));
  return `"${cutTo(unicode ? text : asciiOnly(text), width - 2)}"`;
}

/** A text without characters beyond ASCII: they are shown by their code points. */
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
