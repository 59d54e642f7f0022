/** Requests that a calculator must survive, over TCP and UDP alike. */
import { calculate } from "../../../protocol/calculator.ts";
import { type Check, Finding } from "../check.ts";
import { isSum, shown, widths } from "../judge.ts";
import type { ExaminedServer } from "../server.ts";

/** A request that must not end the server. */
function badRequest(
  facts: Pick<Check<ExaminedServer>, "id" | "sentence" | "why" | "fix"> & {
    readonly request: string | Uint8Array;
    readonly services?: Check<ExaminedServer>["services"];
    readonly needs?: readonly string[];
    readonly seen?: string;
  },
): Check<ExaminedServer> {
  const { request, services = ["calc"], needs = [], ...rest } = facts;
  return {
    level: "robust",
    services,
    seen: `${typeof request === "string" ? `"${shown(request)}"` : "Bytes that are no text"} is ` +
      "sent; whatever the answer is, another client must be answered afterwards.",
    ...rest,
    needs: ["next-client", ...needs],
    run: (server) => server.survives(request),
  };
}

export const badRequestChecks: readonly Check<ExaminedServer>[] = [
  badRequest({
    id: "zero",
    sentence: "survives a division by zero",
    request: "10 0 /",
    why: "one client's bad request must not end the server for all others",
    fix: 'check the divisor first, answer "Error: division by zero", and go on',
  }),
  badRequest({
    id: "words",
    sentence: "survives what is not a number",
    request: "ten 20 +",
    why: "people type anything: a server must live through what it does not understand",
    fix: 'check that the operands are numbers, answer "Error: ..." if not, and go on',
  }),
  badRequest({
    id: "short",
    sentence: "survives a request that is too short",
    request: "10 20",
    why: "a request may be cut short or mistyped; that is the client's problem, not the server's",
    fix: 'count the words first, answer "Error: expected O1 O2 OP" if they are not three',
  }),
  badRequest({
    id: "operator",
    sentence: "survives an operator that it does not know",
    request: "10 20 %",
    why: "a request for what the server can't do deserves an answer, not its end",
    fix: 'end the chain of ifs with an else that answers "Error: unknown operator"',
  }),
  badRequest({
    id: "bytes",
    services: ["message", "calc"],
    sentence: "survives bytes that are not text",
    request: new Uint8Array([0xff, 0xfe]),
    seen: "The bytes ff fe, which are not UTF-8, are sent; another client must be answered " +
      "afterwards.",
    why: "what comes from a network is bytes; only some of them are text",
    needs: ["short"], // ff fe is one word, too
    fix: "catch the decoding error, or decode with a replacement character",
  }),
  badRequest({
    id: "long-word",
    services: ["calc"],
    sentence: "survives a word of 900 characters",
    request: `${"x".repeat(900)} 20 +`,
    seen: "900 letters in place of a number; another client must be answered afterwards.",
    needs: ["words"],
    why:
      "memory beyond an array belongs to something else: overwriting it crashes or opens the door",
    fix: "give every copy a limit: %15s in scanf, snprintf() in place of strcpy()",
  }),
  {
    id: "long-word",
    level: "robust",
    services: ["message"],
    sentence: "survives a message of 900 characters",
    seen: "A message of 900 letters must be thanked for, and another client afterwards.",
    why:
      "memory beyond an array belongs to something else: overwriting it crashes or opens the door",
    fix: "give every copy a limit: snprintf() in place of strcpy(), recv() with the array's size",
    needs: ["next-client"],
    run: (server) => server.survives("x".repeat(900)),
  },
  {
    id: "eval",
    level: "robust",
    services: ["calc"],
    sentence: "does not run what clients send",
    seen: 'Asked "2**3 1 +", "7-4 1 *" and "10 20 +1+": an answer of 9, 3 or 31 shows that the ' +
      "request was run as a program.",
    why:
      "who can make a server run an expression can make it run anything: delete files, open a shell",
    fix: "turn the operands into integers and choose the operation with if, never with eval()",
    needs: ["next-client"],
    async run(server) {
      for (const [request, betrayal] of [["2**3 1 +", 9], ["7-4 1 *", 3], ["10 20 +1+", 31]]) {
        // A server that ends at this has another mistake, which is seen elsewhere.
        const answer = await server.answerTo(String(request)).catch(() => "");
        const [, result] = /is\s+(-?\d+)(?:\.0+)?\s*$/.exec(answer) ??
          /^\s*(-?\d+)(?:\.0+)?\s*$/.exec(answer) ?? [];
        if (Number(result) === betrayal) {
          throw new Finding({ sent: String(request), saw: shown(answer) });
        }
        // It may be dying of another mistake, and still be there for half a second.
        if (answer === "") server.doubt();
      }
    },
  },
  {
    id: "big",
    level: "robust",
    services: ["calc"],
    sentence: "is right about big numbers, or says that it can't",
    seen:
      "The last integers of 32 bits, of a double and of 64 bits, plus one each: the right sum " +
      "or an error is fine, a wrong sum is not, nor the end of the program.",
    why: "a wrong answer that looks right is worse than none",
    fix: "use a wider type, or check for overflow and answer an error",
    needs: ["next-client"],
    async run(server) {
      for (const { last, name, fix } of widths) {
        const request = `${last} 1 +`;
        const answer = (await server.answerTo(request)).trim();
        if (isSum(answer) && answer !== calculate(request)) {
          const want = calculate(request);
          throw new Finding({ sent: request, want, saw: `${shown(answer)}\nbeyond ${name}`, fix });
        }
      }
      await server.exchange();
    },
  },
];
