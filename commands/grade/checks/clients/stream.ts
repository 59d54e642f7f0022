/** What clients must do whose replies are lines, however TCP splits them. */
import { delay } from "@std/async/delay";
import { concat } from "@std/bytes/concat";
import { Finding } from "../../../../suite/test.ts";
import { isFramed } from "../../../../talk/talk.ts";
import { sampleOf } from "../../conversations.ts";
import type { Subject } from "../../subjects.ts";
import { type ClientUnderTest, printedBy } from "../../clients/client_under_test.ts";
import type { Asked, Heard, Scenario } from "../../clients/scripted_server.ts";
import { shown } from "../../evidence.ts";
import { isMachineBusy } from "../../program/system.ts";
import type { Check } from "../check.ts";
import { lacksRequest } from "../lacks.ts";
import { goodServer, lacksShown, shownParts } from "./lesson.ts";

/** Bytes of the long reply. */
const LONG = 200_000;

/** Milliseconds that a check may take, with all its tries. */
const LIMIT_MS = 40_000;
/** Tries for each client: a busy machine can make it too slow for a reply in pieces. */
const TRIES = 3;
/**
 * All tries on a busy machine, the later ones with this many milliseconds between two pieces: so few
 * that both may be read at once, which is why one pass is no proof.
 */
const MAX_TRIES = 8;
const HURRY_MS = 80;
const HURRIED_PASSES = 2;

/** For a client that sends no line end: the reply to it has none, so a loop would wait for ever. */
const ASK_IN_LINES =
  "end the request with \\n: the reply ends with \\n then; call recv() in a loop until it is there";

const encoder = new TextEncoder();

/** A long error reply: valid for every request, and of any length. */
const longReply = `Error: ${"sorry ".repeat(LONG / 6)}end`;

export const streamClientChecks: readonly Check<ClientUnderTest>[] = [
  {
    id: "split-reply",
    level: "stream",
    sentence: "accepts a reply that arrives in pieces",
    how: "The reply is sent in two pieces, the second after the first has been read.",
    why: "TCP carries bytes, not messages: what was sent at once may arrive in pieces",
    fix: "call recv() in a loop until the line end or the end of the connection",
    needs: ["connects", "sends", "prints", "ends"],
    limit: LIMIT_MS,
    lacks: (subject) => lacksRequest(subject) ?? lacksReplyEnd(subject) ?? lacksShown(subject),
    run: (client) =>
      printsWhole(
        client,
        "split-reply",
        inTwo,
        (heard) => shownParts(heard, client.settings.subject),
      ),
  },
  {
    id: "long-reply",
    level: "stream",
    sentence: "accepts a reply longer than one recv()",
    how: "A reply of 200,000 bytes is sent; the program must print all of it.",
    why: "recv(1024) returns part of a long reply: the rest is still to come",
    fix: "call recv() in a loop until the line end or the end of the connection",
    needs: ["connects", "sends", "prints", "ends", "split-reply"],
    limit: LIMIT_MS,
    isLessonOnly: true,
    lacks: (subject) =>
      lacksRequest(subject) ??
        (subject.isFile ? "only the lesson's replies can be made long" : undefined),
    run: (client) => {
      const asLine = ({ isLine }: Asked): Uint8Array[] => [
        encoder.encode(isLine ? `${longReply}\n` : longReply),
      ];
      return printsWhole(client, "long-reply", asLine, () => [longReply]);
    },
  },
];

/** A reply in two pieces, cut in its first half: what a user must see tends to come last. */
function inTwo({ replies }: Asked): Uint8Array[] {
  const reply = concat(replies);
  const at = Math.max(1, Math.min(6, Math.floor(reply.length / 2)));
  return [reply.subarray(0, at), reply.subarray(at)];
}

/** @throws {Finding} if the client prints less than all parts of what it should show. */
async function printsWhole(
  client: ClientUnderTest,
  id: string,
  pieces: (asked: Asked) => readonly Uint8Array[],
  shouldShow: (heard: Heard) => readonly string[],
): Promise<void> {
  const { isFile } = client.settings.subject;
  const { heard: usual } = await client.observe(goodServer);
  let hurriedPasses = 0;
  for (let tries = 1;; tries++) {
    const scenario = inPieces(`${id} ${tries}`, pieces, { isFile, isHurried: tries > TRIES });
    const run = await client.observe(scenario);
    const lost = run.heard.flatMap(shouldShow)
      .find((part) => !(run.stdout + run.stderr).includes(part));
    const goesOn = run.heard.length >= Math.max(1, usual.length);
    if (goesOn && lost === undefined) {
      if (tries <= TRIES || ++hurriedPasses === HURRIED_PASSES || tries === MAX_TRIES) return;
      continue;
    }
    if (tries < TRIES || (tries < MAX_TRIES && await isMachineBusy())) continue;
    const [heard] = run.heard;
    const isLine = heard === undefined || heard.request.at(-1) === 0x0a;
    const fix = isLine || isFile ? undefined : ASK_IN_LINES;
    const saw = goesOn || lost !== undefined
      ? printedBy(run)
      : `it did not go on after a reply; ${printedBy(run)}`;
    throw new Finding({ want: lost && shown(lost), saw, said: run.said, fix });
  }
}

/** Why a reply can't be cut: in a file, nothing may show its end. */
function lacksReplyEnd({ isFile, talk }: Subject): string | undefined {
  const ends = sampleOf(talk).lines.filter(({ says }) => says === "server").every(({ tokens }) =>
    isFramed(tokens) || tokens.at(-1)?.kind === "end"
  );
  return !isFile || ends ? undefined : "nothing in the file ends a reply";
}

/**
 * A server that sends its reply in pieces, each after the client has read the previous one.
 *
 * @param isFile Whether a file shows where its replies end.
 * @param isHurried Whether it does not look at what the client has read, which may take so long that
 * a client which waits for a moment of silence takes the first piece for the whole.
 */
function inPieces(
  id: string,
  pieces: (asked: Asked) => readonly Uint8Array[],
  { isFile, isHurried }: { readonly isFile: boolean; readonly isHurried: boolean },
): Scenario {
  return {
    id,
    isOrdinary: true,
    replies: true,
    async answer(asked) {
      const { ends, send, untilRead, isLine, close } = asked;
      for (const [index, piece] of pieces(asked).entries()) {
        if (index > 0) await (isHurried ? delay(HURRY_MS) : untilRead());
        await send(piece);
      }
      // Without line ends, only the end of the connection marks the end of a long reply.
      if (ends || (!isLine && !isFile)) close();
    },
  };
}
