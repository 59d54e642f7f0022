/** Lines of a stack trace: they say where an error happened, not what it is. */
const STACK = /^\s|^Node\.js v|^goroutine |^exit status|^Emitted |^[\w/.:-]+:\d+$/;
/** How languages begin the line that says what went wrong. */
const HEADLINE = /^(?:[\w.:]*(?:Error|Exception|Interrupt)\b|panic:|fatal|Exception in )/;

/** Returns the line of stderr that helps a beginner most: what went wrong, not where. */
export function lastWords(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const words = lines.filter((line) => !STACK.test(line));
  const chosen = words.findLast((line) => HEADLINE.test(line)) ??
    words.findLast((line) => /error|exception|fault|refused|in use|denied|abort/i.test(line)) ??
    words.at(-1) ?? lines.at(-1);
  return chosen?.slice(0, 300);
}
