import { calculate } from "../protocol/calculator.ts";
import { commandMeant } from "../protocol/notation.ts";
import { ERROR_PREFIX } from "../protocol/reply.ts";
import { challengeOf, padded, randomInteger } from "./challenge.ts";
import { type Client, RequestError } from "./client.ts";

/** Sends calculator commands and checks the answers. */
export const client: Client = {
  name: "calc",
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
  meant: commandMeant,
  challenge(_, size = 0) {
    // White space makes the request long but not the reply, so only one direction is tested.
    const request = padded(randomInteger(), " ", `${randomInteger()} +`, size);
    return challengeOf(request, { expected: calculate(request) }, { fresh: true });
  },
};

function isOperator(word: string): boolean {
  return /^[-+*/x]$/.test(word);
}
