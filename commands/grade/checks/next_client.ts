import { type Evidence, Finding } from "../check.ts";

/** The fix for an answer that came, but was wrong: the program does serve its next client. */
const WRONG_FIX = "work out each answer from its own request; keep nothing from the one before";

/**
 * Asks as three clients, one after another.
 *
 * @param before What had happened when a later client was not answered.
 * @throws {Finding}
 */
export async function asThreeClients(ask: () => Promise<void>, before?: string): Promise<void> {
  for (let client = 1; client <= 3; client++) {
    try {
      await ask();
    } catch (error) {
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
