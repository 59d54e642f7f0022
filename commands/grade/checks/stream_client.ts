/** What clients do whose replies are lines, however they come. */
import { type Check, Finding } from "../check.ts";
import type { ExaminedClient } from "../client.ts";
import { shown } from "../judge.ts";
import type { Scenario } from "../stages.ts";
import { printedBy } from "./client_output.ts";
import { asking } from "./lesson_client.ts";

/** Bytes of the long reply. */
const LONG = 200_000;

/** A long error reply: right for every request, and of any length. */
const longReply = `Error: ${"sorry ".repeat(LONG / 6)}end`;

const streamReplies: readonly {
  readonly facts: Pick<Check<ExaminedClient>, "id" | "sentence" | "seen" | "why" | "fix">;
  readonly pieces: (reply: string) => readonly string[];
  readonly needs?: readonly string[];
}[] = [
  {
    facts: {
      id: "split-reply",
      sentence: "takes a reply that comes in pieces",
      seen: "The reply comes in two pieces, 100 ms apart.",
      why: "TCP carries bytes, not messages: what was sent at once may arrive in pieces",
      fix: "loop over recv() until the line end, or the end of the connection",
    },
    pieces: (reply) => [reply.slice(0, 6), reply.slice(6)],
  },
  {
    facts: {
      id: "long-reply",
      sentence: "takes a reply that is longer than one recv()",
      seen: "A reply of 200,000 bytes.",
      why: "recv(1024) gives a part of a long reply: the rest is still to come",
      fix: "loop over recv() until the line end, or the end of the connection",
    },
    pieces: () => [longReply],
    needs: ["split-reply"],
  },
];

export const streamClientChecks = streamReplies.map(({ facts, pieces, needs = [] }) => {
  const scenario: Scenario = {
    id: facts.id,
    replies: true,
    async answer({ send, reply, isLine, close }) {
      for (const [index, piece] of pieces(reply.trimEnd()).entries()) {
        if (index > 0) await new Promise((resolve) => setTimeout(resolve, 100));
        await send(piece);
      }
      // Whoever sends no line end finds the end of a long reply at the end of the connection.
      if (isLine) await send("\n");
      else close();
    },
  };
  return {
    ...facts,
    level: "stream" as const,
    services: asking,
    needs: ["connects", "sends", "prints", "ends", ...needs],
    scenario,
    async run(client: ExaminedClient) {
      const run = await client.observe(scenario);
      const output = run.stdout + run.stderr;
      const wanted = pieces(run.replies[0] ?? "").join("");
      if (output.includes(wanted)) return;
      throw new Finding({ want: shown(wanted), saw: printedBy(run), said: run.said });
    },
  };
});
