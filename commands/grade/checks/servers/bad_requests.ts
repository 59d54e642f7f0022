/** Requests that a calculator must survive, over TCP and UDP alike. */
import { calculate } from "../../../../protocol/calculator.ts";
import { Finding } from "../../../../suite/test.ts";
import { isSum, shown } from "../../judge.ts";
import { answerTo, survives } from "../../servers/reactions.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Check } from "../check.ts";

/** The largest integers of common types: their successors do not fit. */
const widths = [
  {
    last: 2n ** 31n - 1n,
    name: "a 32-bit integer",
    fix: "use a 64-bit type or integers of any size",
  },
  {
    last: 2n ** 53n,
    name: "a double (53 bits)",
    fix: "use an integer type: in JavaScript BigInt, elsewhere a 64-bit type",
  },
  {
    last: 2n ** 63n - 1n,
    name: "a 64-bit integer",
    fix: 'use integers of any size, or check for overflow and answer "Error: ..."',
  },
  {
    last: 2n ** 64n - 1n,
    name: "an unsigned 64-bit integer",
    fix: 'use integers of any size, or check for overflow and answer "Error: ..."',
  },
] as const;

/** A request that must not end the server. */
function badRequest(
  facts: Pick<Check<ServerUnderTest>, "id" | "sentence" | "why" | "fix"> & {
    readonly request: string | Uint8Array;
    readonly services?: Check<ServerUnderTest>["services"];
    readonly needs?: readonly string[];
    readonly how?: string;
  },
): Check<ServerUnderTest> {
  const { request, services = ["calc"], needs = [], ...rest } = facts;
  return {
    level: "robust",
    services,
    how:
      `${typeof request === "string" ? `"${shown(request)}"` : "A sequence of bytes"} is sent. ` +
      "Any answer will do, but another client must be answered afterwards.",
    ...rest,
    needs: ["next-client", ...needs],
    run: (server) => survives(server, request),
  };
}

export const badRequestChecks: readonly Check<ServerUnderTest>[] = [
  badRequest({
    id: "zero",
    sentence: "survives a division by zero",
    request: "10 0 /",
    why: "one client's bad request must not end the server for all others",
    fix: 'check the divisor first, answer "Error: division by zero", and go on',
  }),
  badRequest({
    id: "words",
    sentence: "survives a word where a number should be",
    request: "ten 20 +",
    why: "people type anything: a server must survive input that it does not understand",
    fix: 'check that both operands are numbers; if not, answer "Error: ..." and go on',
  }),
  badRequest({
    id: "short",
    sentence: "survives a request that is too short",
    request: "10 20",
    why: "a request may be cut short or mistyped; that is the client's problem, not the server's",
    fix: 'count the words first; if there are not three, answer "Error: expected O1 O2 OP"',
  }),
  badRequest({
    id: "operator",
    sentence: "survives an unknown operator",
    request: "10 20 %",
    why: "a request that the server can't handle deserves an error reply, not a crash",
    fix: 'end the chain of ifs with an else that answers "Error: unknown operator"',
  }),
  badRequest({
    id: "bytes",
    services: ["message", "calc"],
    sentence: "survives bytes that are not text",
    request: new Uint8Array([0xff, 0xfe]),
    how: "The bytes ff fe, which are not UTF-8, are sent; another client must be answered " +
      "afterwards.",
    why: "a network delivers bytes, and not all bytes are text",
    needs: ["short"], // ff fe is one word, too
    fix: "catch the decoding error, or decode with a replacement character",
  }),
  badRequest({
    id: "long-word",
    services: ["calc"],
    sentence: "survives a word of 900 characters",
    request: `${"x".repeat(900)} 20 +`,
    how: "900 letters are sent in place of a number; another client must be answered afterwards.",
    needs: ["words"],
    why: "writing past the end of an array crashes the program or lets an attacker in",
    fix: "give every copy a limit: %15s in scanf, snprintf() instead of strcpy()",
  }),
  {
    id: "long-word",
    level: "robust",
    services: ["message"],
    sentence: "survives a message of 900 characters",
    how: "A message of 900 letters is sent; another client must be answered afterwards.",
    why: "writing past the end of an array crashes the program or lets an attacker in",
    fix: "give every copy a limit: snprintf() instead of strcpy(), recv() with the array's size",
    needs: ["next-client"],
    run: (server) => survives(server, "x".repeat(900)),
  },
  {
    id: "eval",
    level: "robust",
    services: ["calc"],
    sentence: "does not run what clients send",
    how: '"2**3 1 +", "7-4 1 *" and "10 20 +1+" are sent: an answer of 9, 3 or 31 shows that the ' +
      "request was run as code.",
    why: "anyone who can make a server run an expression can make it delete files or open a shell",
    fix: "convert the operands to integers and choose the operation with if, never with eval()",
    needs: ["next-client"],
    async run(server) {
      for (const [request, evaluated] of [["2**3 1 +", 9], ["7-4 1 *", 3], ["10 20 +1+", 31]]) {
        // A server that ends here has another mistake, which another check finds.
        const answer = await answerTo(server, String(request)).catch(() => "");
        const [, result] = /is\s+(-?\d+)(?:\.0+)?\s*$/.exec(answer) ??
          /^\s*(-?\d+)(?:\.0+)?\s*$/.exec(answer) ?? [];
        if (Number(result) === evaluated) {
          throw new Finding({ sent: String(request), saw: shown(answer) });
        }
        // It may be crashing because of another mistake, and take half a second to end.
        if (answer === "") server.markSuspect();
      }
    },
  },
  {
    id: "big",
    level: "robust",
    services: ["calc"],
    sentence: "adds big numbers correctly, or answers an error",
    how:
      "1 is added to the largest integers of 32 bits, of a double and of 64 bits: the right sum " +
      "or an error passes, a wrong sum or a crash fails.",
    why: "a wrong answer that looks right is worse than none",
    fix: "use a wider type, or check for overflow and answer an error",
    needs: ["next-client"],
    async run(server) {
      // A server that gets small sums wrong has another mistake.
      await server.exchange();
      for (const { last, name, fix } of widths) {
        const request = `${last} 1 +`;
        const want = calculate(request);
        const answer = (await answerTo(server, request, want)).trim();
        if (isSum(answer) && answer !== want) {
          throw new Finding({
            sent: request,
            want,
            saw: `${shown(answer)}\nthe right sum does not fit in ${name}`,
            fix,
          });
        }
      }
      await server.exchange();
    },
  },
];
