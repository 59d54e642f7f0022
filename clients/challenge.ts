/**
 * A question that shows whether a server is alive, and how to judge its answer.
 *
 * A fresh one contains something unpredictable, so neither a canned reply nor an
 * old one passes for an answer.
 */
export interface Challenge {
  /** The line to send, without its end; `undefined` if the server speaks first or just closes. */
  readonly request: string | undefined;
  /** Whether the right answer can't be known before the question is asked. */
  readonly fresh: boolean;
  /**
   * The form of the answer: one line, something within lines, or the end of the
   * stream without any data.
   */
  readonly form: "line" | "lines" | "end";
  /** The right reply, as far as it is known in advance. */
  readonly expected: string;
  /** Judges a reply: right, the possible beginning of a right one, or wrong. */
  judge(reply: string): "right" | "part" | "wrong";
}

/** Returns a challenge that has exactly one right reply. */
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

/** The least number with 20 digits: about half of all 64-bit numbers are that large. */
const MIN_INTEGER = 10n ** 19n;

/** Returns a random unsigned 64-bit integer of 20 digits, so all questions are equally long. */
export function randomInteger(): string {
  while (true) {
    const [number = 0n] = crypto.getRandomValues(new BigUint64Array(1));
    if (number >= MIN_INTEGER) return String(number);
  }
}

/** Returns a random word of 16 letters and digits. */
export function randomWord(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => (byte % 32).toString(32)).join("");
}

/** Returns a request that repeats `filler` to be `size` bytes long; it is never cut. */
export function padded(before: string, filler: string, after: string, size: number): string {
  return before + filler.repeat(Math.max(1, size - before.length - after.length)) + after;
}
