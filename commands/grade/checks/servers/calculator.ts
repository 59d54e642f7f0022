/** What only the lesson's calculator is asked for, over TCP and UDP alike. */
import { calculate } from "../../../../protocol/calculator.ts";
import { Finding } from "../../../../suite/test.ts";
import { parseTalk } from "../../../../talk/parse.ts";
import { shown } from "../../evidence.ts";
import { exchange } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { provoke, survives } from "../../servers/survival.ts";
import { operations, operationTalk } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { lacksCalculator } from "../lacks.ts";

const encoder = new TextEncoder();

/** Operands of both signs, for every operation; a new client for each request. */
const OPERANDS = ["{a 1..999} {b 1..999}", "{a -999..-1} {b 1..999}", "{a 1..999} {b -999..-1}"];
/** The two ways in which a quotient is written differently: 7 or 7.0, and 2.5. */
const DIVIDED = ["{a 14..14} {b 2..2}", "{a 5..5} {b 2..2}"];

const requests = [
  ...DIVIDED.map((operands) => operationTalk(["Div", "/"], operands)),
  ...operations.flatMap((one) => OPERANDS.map((operands) => operationTalk(one, operands))),
];

export const operationsCheck: Check<ServerUnderTest> = {
  id: "operations",
  level: "lesson",
  sentence: "calculates + - * /, also with negative numbers",
  how: "Each operation is asked for three times, by a new client each time, with random operands " +
    "of either sign. Quotients are compared as numbers.",
  why: "nobody trusts a calculator that was wrong once",
  fix: "split the request at whitespace, convert the operands to integers, choose by operator",
  needs: ["answers", "next-client"],
  isLessonOnly: true,
  lacks: lacksCalculator,
  async run(server) {
    for (const text of requests) {
      await exchange(server, { talk: server.asItNeeds(parseTalk(text)) });
    }
  },
};

/** A request that must not end the server. */
function badRequest(
  request: string,
  facts: Pick<Check<ServerUnderTest>, "id" | "sentence" | "why" | "fix">,
): Check<ServerUnderTest> {
  return {
    level: "robust",
    how:
      `"${request}" is sent. Any answer will do, but another client must be answered afterwards.`,
    ...facts,
    needs: ["next-client"],
    isLessonOnly: true,
    lacks: lacksCalculator,
    run: (server) => survives(server, { bytes: requestBytes(server, request) }),
  };
}

/** A request with the ending that this server needs. */
function requestBytes({ requestEnd, settings }: ServerUnderTest, request: string): Uint8Array {
  const isLine = requestEnd === "line" || settings.subject.talk === settings.subject.lines;
  return encoder.encode(isLine ? `${request}\n` : request);
}

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
];

/** Requests that a calculator must survive. */
export const calculatorMistakes: readonly Check<ServerUnderTest>[] = [
  badRequest("10 0 /", {
    id: "zero",
    sentence: "survives a division by zero",
    why: "one client's bad request must not end the server for all others",
    fix: 'check the divisor first, answer "Error: division by zero", and go on',
  }),
  badRequest("ten 20 +", {
    id: "words",
    sentence: "survives a word where a number should be",
    why: "people type anything: a server must survive input that it does not understand",
    fix: 'check that both operands are numbers; if not, answer "Error: ..." and go on',
  }),
  badRequest("10 20", {
    id: "short",
    sentence: "survives a request that is too short",
    why: "a request may be cut short or mistyped; that is the client's problem, not the server's",
    fix: 'count the words first; if there are not three, answer "Error: expected O1 O2 OP"',
  }),
  badRequest("10 20 %", {
    id: "operator",
    sentence: "survives an unknown operator",
    why: "a request that the server can't handle deserves an error reply, not a crash",
    fix: 'end the chain of ifs with an else that answers "Error: unknown operator"',
  }),
];

/** What comes after the general checks of bad requests. */
export const calculatorChecks: readonly Check<ServerUnderTest>[] = [
  {
    id: "expressions",
    level: "robust",
    sentence: "does not calculate expressions",
    how: '"2**3 1 +", "7-4 1 *" and "10 20 +1+" are sent: an answer of 9, 3 or 31 shows that the ' +
      "request was run as code.",
    why: "anyone who can make a server run an expression can make it delete files or open a shell",
    fix: "convert the operands to integers and choose the operation with if, never with eval()",
    needs: ["next-client", "eval"],
    isLessonOnly: true,
    lacks: lacksCalculator,
    async run(server) {
      for (const [request, evaluated] of [["2**3 1 +", 9], ["7-4 1 *", 3], ["10 20 +1+", 31]]) {
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
    sentence: "adds big numbers correctly, or answers an error",
    how:
      "1 is added to the largest integers of 32 bits, of a double and of 64 bits: the right sum " +
      "or an error passes, a wrong sum or a crash fails.",
    why: "a wrong answer that looks right is worse than none",
    fix: "use a wider type, or check for overflow and answer an error",
    needs: ["next-client"],
    isLessonOnly: true,
    lacks: lacksCalculator,
    async run(server) {
      // A server that gets small sums wrong has another mistake.
      await exchange(server);
      for (const { last, name, fix } of widths) {
        const request = `${last} 1 +`;
        const want = calculate(request);
        const answer = (await answerTo(server, request)).trim();
        if (/^Sum of \S+ and \S+ is /.test(answer) && answer !== want) {
          const saw = `${shown(answer)}\nthe right sum does not fit in ${name}`;
          throw new Finding({ sent: request, want, saw, fix });
        }
      }
      await exchange(server);
    },
  },
];

/** The answer to a request, whatever it is; empty if there is none. */
async function answerTo(server: ServerUnderTest, request: string): Promise<string> {
  const { bytes } = await provoke(server, { bytes: requestBytes(server, request) });
  return new TextDecoder().decode(bytes);
}
