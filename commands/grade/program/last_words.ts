/** What a program's stderr says: what went wrong, and where in the learner's own file. */

/** Lines of a stack trace: they say where an error happened, not what it is. */
const STACK = /^\s|^Node\.js v|^goroutine |^exit status|^Emitted |^[\w/.:-]+:\d+$/;
/** How languages begin the line that says what went wrong. */
const HEADLINE = /^(?:[\w.:]*(?:Error|Exception|Interrupt)\b|panic:|fatal|Exception in )/;

/** The line of stderr that says what went wrong, and where that is in the learner's own file. */
export function lastWordsAndLine(stderr: string): string | undefined {
  const words = lastWords(stderr);
  const line = ownLine(stderr);
  return words === undefined || line === undefined ? words : `${words}\n${line}`;
}

/** Returns the line of stderr that helps a beginner most: what went wrong, not where. */
export function lastWords(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const words = lines.filter((line) => !STACK.test(line));
  const chosen = words.findLast((line) => HEADLINE.test(line)) ??
    words.findLast((line) => /error|exception|fault|refused|in use|denied|abort/i.test(line)) ??
    words.at(-1) ?? lines.at(-1);
  return chosen?.slice(0, 300);
}

/** How a language names the places in its stack trace. */
interface Trace {
  /** Matches a place: its file, and its line. */
  readonly place: RegExp;
  /** Whether the place nearest to the error comes last. @default {false} */
  readonly isLastInnermost?: boolean;
}

const traces: readonly Trace[] = [
  // Python: File "server.py", line 12, in main
  { place: /^ *File "([^"<>]+)", line (\d+)/gm, isLastInnermost: true },
  // AddressSanitizer: #1 0x55 in main /home/me/server.c:12:5
  { place: /^ *#\d+ 0x[\da-f]+ in .*? (\S+?\.\w+):(\d+)/gm },
  // Java: at Server.main(Server.java:12)
  { place: /^\s*at (?!java\.|jdk\.|sun\.).*\(([^():]+\.java):(\d+)\)/gm },
  // Node: at serve (file:///home/me/server.mjs:12:7), after a line with file and line alone
  {
    place:
      /^(?:\s*at .*?\(?)?(?:file:\/\/\/?)?((?:[a-z]:)?[\\/][^():\n]+\.\w*[jt]s):(\d+)(?::\d+\)?)?$/gim,
  },
  // Go: a tab, the file, the line
  { place: /^\t(\S+\.go):(\d+)/gm },
  // Ruby: server.rb:12:in 'serve'
  { place: /^(?:\s*from )?((?:[a-z]:)?[^\s:]+\.rb):(\d+):in /gim },
  // Perl: died at server.pl line 12.
  { place: / at (\S+\.p[lm]) line (\d+)/gm },
];

/** Files of runtimes and packages, with slashes. */
const FOREIGN =
  /^\/usr\/|\/lib\/(?:python|node|ruby|perl|go)|site-packages|node_modules|\/go\/src\/|\.\.\/|^\/build\/|^[A-Z]:\/Program Files|\/Python\d+\/Lib\//i;
/** Most characters of the line that are shown. */
const SHOWN = 100;

/**
 * `server.py, line 12: a, b = int(o1), int(o2)`: the innermost place in a file of the learner's.
 *
 * @returns `undefined` if the text names none.
 */
export function ownLine(stderr: string): string | undefined {
  for (const { place, isLastInnermost = false } of traces) {
    const places = [...stderr.matchAll(place)].filter(([, file = ""]) =>
      !FOREIGN.test(file.replaceAll("\\", "/"))
    );
    const [, file, line] = (isLastInnermost ? places.at(-1) : places[0]) ?? [];
    if (file === undefined || line === undefined) continue;
    const [name] = /[^\\/]*$/.exec(file) ?? [];
    const text = lineOf(file, Number(line));
    return `${name}, line ${line}${text === undefined ? "" : `: ${shortened(text)}`}`;
  }
  return undefined;
}

function shortened(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`;
}

function lineOf(file: string, line: number): string | undefined {
  try {
    const text = Deno.readTextFileSync(file).split("\n")[line - 1]?.trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined; // a name without its folder, or a file that is gone
  }
}
