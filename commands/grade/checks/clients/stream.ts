/** What clients must do whose replies are lines, however TCP splits them. */
import { concat } from "@std/bytes/concat";
import { Finding } from "../../../../suite/test.ts";
import { isFramed } from "../../../../talk/talk.ts";
import { sampleOf } from "../../conversations.ts";
import type { Subject } from "../../subjects.ts";
import type { ClientUnderTest } from "../../clients/client_under_test.ts";
import type { Scenario } from "../../clients/scripted_server.ts";
import { shown } from "../../judge.ts";
import type { Check } from "../check.ts";
import { printedBy } from "./client_output.ts";
import { lacksRequest, shownParts } from "./lesson.ts";

/** Bytes of the long reply. */
const LONG = 200_000;

/** A long error reply: valid for every request, and of any length. */
const encoder = new TextEncoder();

const longReply = `Error: ${"sorry ".repeat(LONG / 6)}end`;

const streamReplies: readonly {
  readonly facts: Pick<Check<ClientUnderTest>, "id" | "sentence" | "how" | "why" | "fix">;
  readonly pieces: (reply: Uint8Array) => readonly Uint8Array[];
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
    pieces: (reply) => [reply.subarray(0, 6), reply.subarray(6)],
  },
  {
    facts: {
      id: "long-reply",
      sentence: "accepts a reply longer than one recv()",
      how: "A reply of 200,000 bytes is sent; the program must print all of it.",
      why: "recv(1024) returns part of a long reply: the rest is still to come",
      fix: "call recv() in a loop until the line end or the end of the connection",
    },
    pieces: () => [encoder.encode(longReply)],
    needs: ["split-reply"],
  },
];

/** Tries for each client: a busy machine can make it too slow for a reply in pieces. */
const TRIES = 3;

export const streamClientChecks = streamReplies.map(({ facts, pieces, needs = [] }) => ({
  ...facts,
  level: "stream" as const,
  needs: ["connects", "sends", "prints", "ends", ...needs],
  limit: 40_000,
  isLessonOnly: facts.id === "long-reply",
  lacks: (subject: Subject) =>
    lacksRequest(subject) ??
      (facts.id === "long-reply" && subject.isFile
        ? "only the lesson's replies can be made long"
        : lacksReplyEnd(subject)),
  async run(client: ClientUnderTest) {
    for (let tries = 1;; tries++) {
      const run = await client.observe(inPieces(`${facts.id} ${tries}`, pieces));
      const [heard] = run.heard;
      const parts = facts.id === "long-reply" || heard === undefined
        ? [longReply]
        : shownParts(heard, client.settings.subject);
      const lost = parts.find((part) => !(run.stdout + run.stderr).includes(part));
      if (lost === undefined) return;
      if (tries < TRIES) continue;
      throw new Finding({ want: shown(lost), saw: printedBy(run), said: run.said });
    }
  },
}));

/** Why a reply can't be cut: in a file, nothing may show its end. */
function lacksReplyEnd({ isFile, talk }: Subject): string | undefined {
  const ends = sampleOf(talk).lines.filter(({ says }) => says === "server").every(({ tokens }) =>
    isFramed(tokens) || tokens.at(-1)?.kind === "end"
  );
  return !isFile || ends ? undefined : "nothing in the file ends a reply";
}

/** A server that sends its reply in pieces, each after the client has read the previous one. */
function inPieces(id: string, pieces: (reply: Uint8Array) => readonly Uint8Array[]): Scenario {
  return {
    id,
    isOrdinary: true,
    replies: true,
    async answer({ replies, ends, send, untilRead, isLine, close }) {
      for (const [index, piece] of pieces(concat(replies)).entries()) {
        if (index > 0) await untilRead();
        await send(piece);
      }
      if (isLine && id.startsWith("long")) await send(encoder.encode("\n"));
      // Without line ends, only the end of the connection marks the end of a long reply.
      if (!isLine || ends) close();
    },
  };
}
