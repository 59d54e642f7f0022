/** The words of a line made with `shellWord()`. */
export function wordsOfLine(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|\\'|[^\s'"\\])+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"|\\(')/g, "$1$2$3"));
}
