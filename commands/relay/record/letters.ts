/** `a` to `z`, `a2` to `z2`, and so on: names by their index. */
export function letterOf(index: number): string {
  const letter = String.fromCharCode("a".charCodeAt(0) + index % 26);
  return index < 26 ? letter : `${letter}${Math.floor(index / 26) + 1}`;
}
