/**
 * A word as it must be typed in a shell, quoted if necessary: in double quotes, which PowerShell,
 * cmd and POSIX shells read alike, unless one of them would change what is between them.
 */
export function shellWord(word: string): string {
  if (/^[\w+=:./-][\w@%+=:,./-]*$/.test(word)) return word;
  const isPlain = !/["$`!%]|\\(?:\\|$)/.test(word);
  return isPlain ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`;
}
