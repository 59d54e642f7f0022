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
(Ctrl-D); from a pipe it sends every line over one connection and prints the
answers in order. An answer that is an error or wrong makes the exit code 1.`,
  examples: ["10 20 +", "6 7 '*'", "< commands.txt"],
  prompt: "Enter Command ",
  requests(words) {
    if (words.length === 0) return undefined;
    const command = words.join(" ");
    if (words.length !== 1 && words.length !== 3) {
      const hint = words.length > 3
        ? "quote the operator if the shell replaced a * by file names: 6 7 '*'"
        : "write the command as three words, for example 10 20 +";
      const count = `received ${words.length} words`;
      throw new RequestError(`calc-client takes O1 O2 OP: ${count}`, hint);
    }
    if (command.trim() === "" || /[\r\n]/.test(command)) {
      throw new RequestError("a command must be one line with O1 O2 OP");
    }
    return [command];
  },
  expected(request) {
    const answer = calculate(request);
    // What this calculator can't do, another may: only answers are compared.
    return answer.startsWith(ERROR_PREFIX) ? undefined : answer;
  },
  challenge(_, size = 0) {
    // White space makes a request long whose reply is short, so that only one way is tried.
    const request = padded(randomInteger(), " ", `${randomInteger()} +`, size);
    return challengeOf(request, calculate(request), { fresh: true });
  },
};
