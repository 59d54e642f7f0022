/**
 * Two different texts, as a message shows them side by side: long ones are cut
 * to the part around the first difference.
 *
 * @param width Characters to show of each.
 */
export function contrasted(
  one: string,
  other: string,
  width: number,
): readonly [one: string, other: string] {
  let same = 0;
  while (same < one.length && one[same] === other[same]) same++;
  const start = same < width ? 0 : same - Math.floor(width / 2);
  const part = (text: string): string =>
    (start === 0 ? "" : "...") + text.slice(start, start + width) +
    (text.length > start + width ? "..." : "");
  return [part(one), part(other)];
}
