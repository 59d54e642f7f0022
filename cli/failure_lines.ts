import { widthOf, wrap } from "../text/width.ts";
import { displayOf } from "./terminal.ts";

const INDENT = "  ";

/**
 * A message and its hint in the columns of the terminal on stderr, broken
 * between words. A line to type stands on its own, so that it can be copied.
 */
export function failureLines(lines: readonly string[]): string[] {
  const { columns } = displayOf(Deno.stderr);
  return lines.flatMap((line) => {
    if (widthOf(line) <= columns) return [line];
    const [, text = line, typed] = /^(.*:) (netdemo .*)$/.exec(line) ?? [];
    const [first = "", ...rest] = wrap(text, columns - INDENT.length);
    const more = typed === undefined ? rest : [...rest, typed];
    return [first, ...more.map((part) => INDENT + part)];
  });
}
