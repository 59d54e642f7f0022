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
      seen: "The reply comes in two pieces, the second once the first was read.",
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

/** How often a client may be tried: a busy machine can make it too slow for a reply in pieces. */
const TRIES = 3;

export const streamClientChecks = streamReplies.map(({ facts, pieces, needs = [] }) => ({
  ...facts,
  level: "stream" as const,
  services: asking,
  needs: ["connects", "sends", "prints", "ends", ...needs],
  limit: 40_000,
  async run(client: ExaminedClient) {
    for (let tries = 1;; tries++) {
      const run = await client.observe(inPieces(`${facts.id} ${tries}`, pieces));
      const wanted = pieces(run.replies[0] ?? "").join("");
      if ((run.stdout + run.stderr).includes(wanted)) return;
      if (tries < TRIES) continue;
      throw new Finding({ want: shown(wanted), saw: printedBy(run), said: run.said });
    }
  },
}));

/** A server whose reply comes in pieces, each once the client has read the one before. */
function inPieces(id: string, pieces: (reply: string) => readonly string[]): Scenario {
  return {
    id,
    isOrdinary: true,
    replies: true,
    async answer({ send, untilRead, reply, isLine, close }) {
      const all = pieces(reply.trimEnd());
      for (const [index, piece] of all.entries()) {
        const isLast = index === all.length - 1;
        await send(isLast && isLine ? `${piece}\n` : piece);
        if (!isLast) await untilRead();
      }
      // Whoever sends no line end finds the end of a long reply at the end of the connection.
      if (!isLine) close();
    },
  };
}
