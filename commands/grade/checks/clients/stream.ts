/** What clients must do whose replies are lines, however TCP splits them. */
import { Finding } from "../../../../suite/test.ts";
import type { ClientUnderTest } from "../../clients/client_under_test.ts";
import type { Scenario } from "../../clients/scripted_server.ts";
import { shown } from "../../judge.ts";
import type { Check } from "../check.ts";
import { printedBy } from "./client_output.ts";
import { asking } from "./lesson.ts";

/** Bytes of the long reply. */
const LONG = 200_000;

/** A long error reply: valid for every request, and of any length. */
const longReply = `Error: ${"sorry ".repeat(LONG / 6)}end`;

const streamReplies: readonly {
  readonly facts: Pick<Check<ClientUnderTest>, "id" | "sentence" | "how" | "why" | "fix">;
  readonly pieces: (reply: string) => readonly string[];
  readonly needs?: readonly string[];
}[] = [
  {
    facts: {
      id: "split-reply",
      sentence: "accepts a reply that arrives in pieces",
      how: "The reply is sent in two pieces, the second after the first has been read.",
      why: "TCP carries bytes, not messages: what was sent at once may arrive in pieces",
      fix: "call recv() in a loop until the line end or the end of the connection",
    },
    pieces: (reply) => [reply.slice(0, 6), reply.slice(6)],
  },
  {
    facts: {
      id: "long-reply",
      sentence: "accepts a reply longer than one recv()",
      how: "A reply of 200,000 bytes is sent; the program must print all of it.",
      why: "recv(1024) returns part of a long reply: the rest is still to come",
      fix: "call recv() in a loop until the line end or the end of the connection",
    },
    pieces: () => [longReply],
    needs: ["split-reply"],
  },
];

/** Tries for each client: a busy machine can make it too slow for a reply in pieces. */
const TRIES = 3;

export const streamClientChecks = streamReplies.map(({ facts, pieces, needs = [] }) => ({
  ...facts,
  level: "stream" as const,
  services: asking,
  needs: ["connects", "sends", "prints", "ends", ...needs],
  limit: 40_000,
  async run(client: ClientUnderTest) {
    for (let tries = 1;; tries++) {
      const run = await client.observe(inPieces(`${facts.id} ${tries}`, pieces));
      const wanted = pieces(run.replies[0] ?? "").join("");
      if ((run.stdout + run.stderr).includes(wanted)) return;
      if (tries < TRIES) continue;
      throw new Finding({ want: shown(wanted), saw: printedBy(run), said: run.said });
    }
  },
}));

/** A server that sends its reply in pieces, each after the client has read the previous one. */
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
      // Without line ends, only the end of the connection marks the end of a long reply.
      if (!isLine) close();
    },
  };
}
