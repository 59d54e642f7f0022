import { calculate } from "../protocol/calculator.ts";
import { ERROR_PREFIX } from "../protocol/reply.ts";
import { challengeOf, padded, randomInteger } from "./challenge.ts";
import { type Client, RequestError } from "./client.ts";

/** Sends calculator commands and checks the answers. */
export const client: Client = {
  name: "calc",
  usage: "[O1 O2 OP]",
  about: `Sends the command O1 O2 OP (two integers, then one of + - * /) and prints the
answer. Without a command it asks for commands at a terminal until end of file
(Ctrl-D); from a pipe, or with - in place of a command, it sends every line of
stdin over one connection and prints the answers in order. An answer that is an
error or wrong makes the exit code 1.`,
  examples: ["10 20 +", "6 7 '*'", "-- -6 -7 -", ""],
  prompt: "Enter Command ",
  dialogue: {
    toType: "O1 O2 OP, for example 10 20 +",
    help: "O1 and O2 are whole numbers of any size, OP is one of + - * /, with a space between " +
      "them: 10 5 - or 6 7 * or 10 4 /. The arrow keys edit the line and bring back earlier ones.",
  },
  requests(words) {
    if (words.length === 0) return undefined;
    const command = words.join(" ");
    if (/[\r\n]/.test(command)) {
      throw new RequestError("a command must be one line with O1 O2 OP");
    }
    // One quoted word is sent unchanged: the server reports what is wrong with it.
    if (words.length === 1 && /\S\s+\S/.test(command)) return [command];
    const [, middle = "", last = ""] = words;
    if (words.length === 3 && isOperator(middle) && !isOperator(last)) {
      throw new RequestError(`calc-client takes O1 O2 OP: received '${command}'`);
    }
    if (words.length !== 3) {
      const count = words.length === 1 ? `'${command}'` : `${words.length} words`;
      throw new RequestError(`calc-client takes O1 O2 OP: received ${count}`);
    }
    if (last.length !== 1) {
      throw new RequestError(`an operator is one of + - * /: received '${last}'`);
    }
    return [command];
  },
  expected(request) {
    const answer = calculate(request);
    // Another calculator may be able to do what this one can't: only answers are compared.
    return answer.startsWith(ERROR_PREFIX) ? undefined : answer;
  },
  challenge(_, size = 0) {
    // White space makes the request long but not the reply, so only one direction is tested.
    const request = padded(randomInteger(), " ", `${randomInteger()} +`, size);
    return challengeOf(request, calculate(request), { fresh: true });
  },
};

function isOperator(word: string): boolean {
  return /^[-+*/x]$/.test(word);
}
