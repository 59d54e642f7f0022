import { Failure } from "../../cli/failure.ts";
import { type Challenge, randomWord } from "../../clients/challenge.ts";

/** What stands for a fresh random word in `--send` and `--reply`. */
const NONCE = "{nonce}";

/** A question of the user's own. */
export interface Custom {
  /** What is sent; `undefined` where the server speaks first. */
  readonly send: string | undefined;
  /** What the reply must contain. */
  readonly reply: string;
}

/**
 * The question that `--send` and `--reply` make, if any.
 *
 * @throws {Failure} of kind `USAGE` for a question whose answer can't be judged.
 */
export function customQuestion(
  send: string | undefined,
  reply: string | undefined,
): Custom | undefined {
  if (reply === undefined) {
    if (send === undefined) return undefined;
    throw new Failure("USAGE", "--send needs --reply: what the reply must contain", {
      hint: "for example --send 'ECHO {nonce}' --reply '{nonce}'",
    });
  }
  if (reply.includes(NONCE) && !send?.includes(NONCE)) {
    throw new Failure("USAGE", "--reply can't contain {nonce}, as --send does not", {
      hint: "the word is random: only a reply to a request that holds it can hold it",
    });
  }
  return { send, reply };
}

/** Asks a user's question, with a random word of its own. */
export function customChallenge({ send, reply }: Custom): Challenge {
  const nonce = randomWord();
  const expected = asReceived(reply.replaceAll(NONCE, nonce));
  const request = send?.replaceAll(NONCE, nonce).replace(/\n$/, ""); // each gets its line end
  return {
    request,
    // What the request itself contains, an echo would give back.
    fresh: reply.includes(NONCE) && !request?.includes(expected),
    form: "lines",
    expected,
    judge: (text) => text.includes(expected) ? "right" : "part",
  };
}

/** A text as lines are received: without a CR before a line end, and without empty lines. */
function asReceived(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(/\n+/g, "\n");
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };

/** Reads text with the escapes `\\n`, `\\r`, `\\t`, `\\\\` and `\\x41`. @throws {Failure} of kind `USAGE`. */
export function readEscaped(text: string, flag: string): string {
  if (text === "") throw new Failure("USAGE", `${flag} must not be empty`);
  return text.replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|[^]|$)/gi, (whole, escape: string) => {
    if (/^[xu]./i.test(escape)) return String.fromCodePoint(parseInt(escape.slice(1), 16));
    const character = escapes[escape];
    if (character !== undefined) return character;
    throw new Failure("USAGE", `${flag}: '${whole}' is not an escape: received '${text}'`, {
      hint: "escapes are \\n, \\r, \\t, \\\\, \\x41 and \\u00e9",
    });
  });
}
