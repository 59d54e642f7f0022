/** The mistakes that learners make in an answer, by what it looks like. */
import { escapeBytes } from "../../talk/escape.ts";

/** What an answer should have been. */
interface Wanted {
  /** The right answer, without a line end. */
  readonly text: string;
  /** The line end that must follow, as a file shows it; none if it may. */
  readonly end: "" | "\\n" | "\\r\\n";
}

interface Mistake {
  /** What is wrong, in a few words. */
  readonly name: string;
  /** What to change. */
  readonly fix: string;
  /** Why it matters, if not for the reason that the check has. */
  readonly why?: string;
}

/** The byte order mark: to `trim()` it is white space, but nobody types it. */
const BOM = "\ufeff";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Names the mistake in a wrong answer, if it is a known one.
 *
 * @param came The answer.
 * @param wanted What should have come, as a file shows it.
 * @param sent The request.
 */
export function mistakeIn(came: Uint8Array, wanted: string, sent: string): Mistake | undefined {
  if (areSwapped(came, wanted)) return SWAPPED;
  const length = lengthMistake(came, wanted);
  if (length !== undefined) return length;
  return mistakeInText(decoder.decode(came), wantedFrom(wanted), sent);
}

const SWAPPED = {
  name: "the bytes of a number are in reverse order",
  fix: "send numbers in network byte order: htonl() in C, '!I' in Python's struct",
  why: "machines differ in the order of a number's bytes: both sides must agree on one",
};

/** Whether numbers in binary came with their bytes in reverse order. @param wanted As a file shows it. */
export function areSwapped(came: Uint8Array, wanted: string): boolean {
  return [2, 4, 8].some((size) =>
    came.length % size === 0 && escapeBytes(swapped(came, size)) === wanted
  ) && escapeBytes(came) !== wanted;
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.map((_, index) => bytes[index - index % size + size - 1 - index % size] ?? 0);
}

/** How {@linkcode describe} shows the length of what follows. */
const LENGTH = "{length}";

/** Names what is wrong with the length in front of the right bytes. */
function lengthMistake(came: Uint8Array, wanted: string): Mistake | undefined {
  if (!wanted.startsWith(LENGTH)) return undefined;
  const rest = wanted.slice(LENGTH.length);
  const size = [0, 1, 2, 4].find((size) => {
    const after = escapeBytes(came.subarray(size));
    return after === rest || after.replace(/(?:\\r)?\\n$/, "") === rest;
  });
  if (size === undefined) return undefined;
  if (size === 0) {
    return {
      name: "the length in front is missing",
      fix: "send the number of bytes that follow first: struct.pack('!H', ...), htons()",
      why: "the other side reads the length to know how much follows",
    };
  }
  const lowestFirst = came.subarray(0, size).reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (size > 1 && lowestFirst === came.length - size) return SWAPPED;
  return {
    name: "the length in front is wrong",
    fix: "count the bytes that follow it, and not the length itself",
  };
}

/** What a file shows, without its escapes. */
function wantedFrom(wanted: string): Wanted {
  const end = wanted.endsWith("\\r\\n") ? "\\r\\n" : wanted.endsWith("\\n") ? "\\n" : "";
  return { text: wanted.slice(0, wanted.length - end.length), end };
}

/** Lines, as a file shows them, in one. */
export function withoutLineEnds(wanted: string): string {
  return wanted.replaceAll(/(?:\\r)?\\n/g, "");
}

function mistakeInText(text: string, expected: Wanted, sent: string): Mistake | undefined {
  const trimmed = text.trim();
  const isBinary = /\\(?:0|x[\da-f]{2})/.test(expected.text);
  if (!isBinary && /^(?:[^\0]\0){3}|^(?:\0[^\0]){3}/.test(text)) {
    return { name: "two bytes for each character (UTF-16)", fix: "encode the text as UTF-8" };
  }
  if (!isBinary && text.includes("\0")) {
    return {
      name: "a NUL byte: the zero that ends a string in C was sent as well",
      fix: "send strlen(text) bytes, not the size of the array",
    };
  }
  if (/\bb(['"]).*?\1/s.test(text) && !/\bb['"]/.test(expected.text)) {
    return {
      name: "b'...': Python's way of showing bytes was sent, not the bytes",
      fix: "turn bytes into text with data.decode(), not with str(data)",
    };
  }
  if (/^(["']).*\1$/s.test(trimmed)) {
    return { name: "quotes around the text", fix: "send the text itself, without quotes" };
  }
  if (sent !== "" && trimmed === sent.trim()) {
    return { name: "the request itself came back", fix: "send the answer, not the request" };
  }
  if (/\\r|\\n/.test(text) && text.replace(/(?:\\r)?\\n$/, "").trim() === expected.text) {
    return {
      name: "a backslash and an n instead of a line end",
      fix: 'write the line end as "\\n" in double quotes, not escaped twice',
    };
  }
  if (expected.text.includes("\\n") && text === withoutLineEnds(expected.text)) {
    return { name: "the line ends are missing", fix: "send a line end, \\n, after each line" };
  }
  if (text.length < expected.text.length && text === expected.text.replaceAll(" ", "")) {
    return { name: "the spaces are missing", fix: "send the line as it was typed, in one send()" };
  }
  return whiteSpaceMistake(text, expected) ?? caseMistake(text, expected) ??
    numberMistake(text, expected, sent) ?? otherProgram(trimmed, expected);
}

/** What the lesson's servers say. */
const lessonAnswers = [
  ["message-server", /^Thanks\.\.\.$/],
  ["calc-server", /^(?:Sum|Diff|Product|Div) of \S+ and \S+ is /],
] as const;

/** Names the program of the lesson whose answer this is. */
function otherProgram(text: string, { text: wanted }: Wanted): Mistake | undefined {
  const [name] = lessonAnswers.find(([, says]) => says.test(text) && !says.test(wanted)) ?? [];
  return name && {
    name: `this is what the lesson's ${name} says`,
    fix: `if that is what your program is: netdemo grade ${name} -- COMMAND`,
  };
}

/** Names what is wrong with a number that was worked out. */
function numberMistake(text: string, { text: wanted }: Wanted, sent: string): Mistake | undefined {
  const [before, right, after] = atLastNumber(wanted);
  const [gotBefore, got, gotAfter] = atLastNumber(text);
  if (right === "" || got === "" || got === right) return undefined;
  const operands = sent.match(/-?\d+/g) ?? [];
  if (operands.length > 1 && got === operands.slice(0, 2).join("")) {
    return {
      name: "the operands were joined as text, not added",
      fix: "turn each operand into a number first: int() in Python, Number() in JavaScript",
    };
  }
  if (right.includes(".") && Math.trunc(Number(right)) === Number(got)) {
    return {
      name: "the quotient was cut to a whole number",
      fix: "divide as floating-point numbers: (double) a / b in C and Java, a / b in Python 3",
    };
  }
  if (gotBefore !== before || gotAfter.trimEnd() !== after) return undefined;
  return {
    name: "the number is wrong, and the text around it is right",
    fix: "check how the number is worked out from the request",
  };
}

/** A text in three parts: before its last number, that number, and after it. */
function atLastNumber(text: string): readonly [before: string, number: string, after: string] {
  const { 0: number, index } = [...text.matchAll(/-?\d+(?:\.\d+)?/g)].at(-1) ??
    { 0: "", index: text.length };
  return [text.slice(0, index), number, text.slice(index + number.length)];
}

/** Names what is wrong around the right answer. */
function whiteSpaceMistake(text: string, { text: wanted, end }: Wanted): Mistake | undefined {
  if (wanted === "" || text.trim() !== wanted || text.startsWith(BOM)) return undefined;
  if (!text.startsWith(wanted)) {
    return { name: "white space before the text", fix: `send exactly ${wanted}` };
  }
  const rest = text.slice(wanted.length);
  if (/[^\r\n]/.test(rest)) {
    return {
      name: "white space after the text",
      fix: "send no space, tab or other white space after the last word",
    };
  }
  if (end === "") return undefined;
  if (rest === "\n" && end === "\\r\\n") {
    return {
      name: "the line end is \\n, not \\r\\n",
      fix: `send ${end}, not \\n, after the last word`,
    };
  }
  return rest.includes("\n")
    ? { name: "more than one line end", fix: `send one line end, ${end}, after the last word` }
    : { name: "the line end is missing", fix: `send a line end, ${end}, after the last word` };
}

/** Names a difference in case if there is no other difference. */
function caseMistake(text: string, { text: wanted }: Wanted): Mistake | undefined {
  const answer = text.replace(/[\r\n]+$/, "");
  if (answer === wanted || answer.toLowerCase() !== wanted.toLowerCase()) return undefined;
  return { name: "upper and lower case differ", fix: `send exactly ${wanted}` };
}
