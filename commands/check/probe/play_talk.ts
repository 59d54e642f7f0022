import { DatagramPeer } from "../../../clients/call/datagram_peer.ts";
import type { TalkPeer } from "../../../clients/call/talk_peer.ts";
import { TalkPlayer } from "../../../clients/call/talk_player.ts";
import { randomFraction } from "../../../clients/challenge.ts";
import { EagerPeer } from "../../../sockets/eager_peer.ts";
import { type DeviationFacts, TalkDeviation } from "../../../talk/deviation.ts";
import type { Line } from "../../../talk/talk.ts";
import type { TalkQuestion } from "../questions/challenge.ts";
import { openStream } from "./ask.ts";
import type { Probing } from "./probing.ts";
import type { ProbeEnding } from "./verdict.ts";

/** Plays the conversations, one after another. @throws {SocketFailure} if it can't connect. */
export async function playTalk(
  question: TalkQuestion,
  probing: Probing,
): Promise<ProbeEnding> {
  const { protocol, remote, timeout, clock, over, seen } = probing;
  const open = async (): Promise<TalkPeer> => {
    if (protocol === "udp" && "port" in remote) {
      seen.phase = "reply";
      const peer = new DatagramPeer(remote);
      over.signal.addEventListener("abort", () => peer[Symbol.dispose](), { once: true });
      return peer;
    }
    using _limit = clock.after(timeout, () => over.abort("time is up"));
    const stream = await openStream(probing);
    seen.phase = "reply";
    return new EagerPeer(stream);
  };
  const said = ({ says }: Line): void => {
    if (says === "client") seen.sentAt ??= performance.now();
    else seen.lastAt = performance.now();
  };
  for (const conversation of question.conversations) {
    const options = { talk: question.talk, random: randomFraction, timeout, open, said };
    using player = new TalkPlayer(conversation, options);
    try {
      await player.play();
    } catch (error) {
      if (!(error instanceof TalkDeviation)) throw error;
      over.signal.throwIfAborted();
      seen.deviation = error.facts;
      seen.reply = error.facts.came;
      return endingOf(error.facts);
    }
    await player.leave();
  }
  return { how: "answered", phase: "reply", right: true };
}

/** A reply that is missing altogether is no wrong reply. */
function endingOf({ came, ending, kind }: DeviationFacts): ProbeEnding {
  if (came.length > 0 || kind === "more") return { how: "answered", phase: "reply", right: false };
  const kinds = { closed: "CLOSED", reset: "RESET" } as const;
  return { how: "failed", phase: "reply", kind: ending === undefined ? "TIMEOUT" : kinds[ending] };
}
