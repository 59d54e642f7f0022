import { visible } from "../../text/visible.ts";
import { cutTo, widthOf } from "../../text/width.ts";

/** Columns of a wrong line that are shown, around its mistake. */
const SHOWN = 70;

/** A line of a file, and a caret below one of its columns. */
export function excerptOf(source: string, column: number): readonly string[] {
  const before = visible(source.slice(0, column - 1));
  const start = widthOf(before) > SHOWN / 2 ? `...${before.slice(-SHOWN / 2)}` : before;
  const shown = cutTo(start + visible(source.slice(column - 1)), SHOWN);
  return [shown, `${" ".repeat(widthOf(start))}^`];
}
