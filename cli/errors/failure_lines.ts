import { widthOf, wrap } from "../../text/width.ts";
import { displayOf } from "../output/terminal.ts";

const INDENT = "  ";

/**
 * Wraps a message and its hint to the terminal on stderr, between words. A
 * command line gets a line of its own, so that it can be copied.
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
