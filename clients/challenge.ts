/**
 * A question to find out whether a server is alive, and how its answer is read.
 *
 * A fresh one holds what nobody can know before, so neither a canned reply nor
 * an old one passes for an answer.
 */
export interface Challenge {
  /** What is sent, a line without its end; `undefined` where the server speaks first or just closes. */
  readonly request: string | undefined;
  /** Whether the right answer can't be known before the question. */
  readonly fresh: boolean;
  /**
   * What the answer is: one line, something within lines, or the end of the
   * stream without a byte before.
   */
  readonly form: "line" | "lines" | "end";
  /** The right reply, as far as it is known. */
  readonly expected: string;
  /** What a reply is: the right one, one that may become right with what follows, or neither. */
  judge(reply: string): "right" | "part" | "wrong";
}

/** A challenge whose one right reply is known to the asker. */
export function challengeOf(
  request: string,
  expected: string,
  { fresh }: { readonly fresh: boolean },
): Challenge {
  return {
    request,
    expected,
    fresh,
    form: "line",
    judge: (reply) => reply === expected ? "right" : expected.startsWith(reply) ? "part" : "wrong",
  };
}

/** The least number of 20 digits: about half of all numbers of 64 bits are at least that. */
const LEAST = 10n ** 19n;

/** A random unsigned integer of 64 bits that has 20 digits, so that all questions are equally long. */
export function randomInteger(): string {
  while (true) {
    const [number = 0n] = crypto.getRandomValues(new BigUint64Array(1));
    if (number >= LEAST) return String(number);
  }
}

/** A random word of 16 letters and digits. */
export function randomWord(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => (byte % 32).toString(32)).join("");
}

/** A request with as many of a character at a place as make it so many bytes long; it is never cut. */
export function padded(before: string, filler: string, after: string, size: number): string {
  return before + filler.repeat(Math.max(1, size - before.length - after.length)) + after;
}
