/** One client after another, over TCP and UDP alike. */
import { type Evidence, Finding } from "../../../../suite/test.ts";
import { calculation } from "../../questions.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Check } from "../check.ts";

/** The fix for an answer that came, but was wrong: the program does serve its next client. */
const WRONG_FIX = "work out each answer from its own request; keep nothing from the one before";

/** Times that each operation is asked for. */
const TIMES = 3;
/** The largest operand. */
const LARGEST = 999;

export const operations: Check<ServerUnderTest> = {
  id: "operations",
  level: "lesson",
  services: ["calc"],
  sentence: "calculates + - * /, also with negative numbers",
  how: "Each operation is asked for three times, by a new client each time, with random operands " +
    "of either sign. Quotients are compared as numbers.",
  why: "nobody trusts a calculator that was wrong once",
  fix: "split the request at whitespace, convert the operands to integers, choose by operator",
  needs: ["answers", "next-client"],
  async run(server) {
    const { random } = server.settings;
    const operand = (sign: number): number => sign * (1 + Math.floor(random() * LARGEST));
    for (let times = 0; times < TIMES; times++) {
      for (const operator of "+-*/") {
        const [left, right] = [operand(times === 1 ? -1 : 1), operand(times === 2 ? -1 : 1)];
        await server.ask(calculation(`${left} ${right} ${operator}`));
      }
    }
    // The two ways in which a quotient is written differently.
    const divisor = operand(1) % 9 + 2;
    await server.ask(calculation(`${divisor * 7} ${divisor} /`), calculation(`${divisor} 4 /`));
  },
};

/**
 * Asks as three clients, one after another.
 *
 * @param before What had happened when a later client was not answered.
 * @throws {Finding}
 */
export async function servesThreeClients(server: ServerUnderTest, before?: string): Promise<void> {
  for (let client = 1; client <= 3; client++) {
    try {
      await server.exchange(server.sample);
      // From here on the program is not started afresh for each client.
      server.servesSeveral = true;
    } catch (error) {
      server.servesSeveral = false;
      if (!(error instanceof Finding)) throw error;
      throw new Finding(seenBy(error.evidence, client === 1 ? undefined : before));
    }
  }
}

function seenBy(evidence: Evidence, before: string | undefined): Evidence {
  const isAnswer = evidence.blames !== undefined;
  // Words in front of an answer would move it away from its caret.
  if (isAnswer) return { ...evidence, fix: evidence.fix ?? WRONG_FIX };
  return before === undefined ? evidence : { ...evidence, saw: `${before}: ${evidence.saw}` };
}
