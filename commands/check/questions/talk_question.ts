import { DatagramPeer } from "../../../clients/call/datagram_peer.ts";
import type { TalkPeer } from "../../../clients/call/talk_peer.ts";
import { TalkPlayer } from "../../../clients/call/talk_player.ts";
import { EagerPeer } from "../../../sockets/eager_peer.ts";
import { type DeviationFacts, TalkDeviation } from "../../../talk/deviation.ts";
import { type Conversation, type Line, type Talk, visitNames } from "../../../talk/talk.ts";
import { openStream } from "../probe/open_stream.ts";
import type { Probing } from "../probe/probing.ts";
import type { ProbeEnding } from "../probe/verdict.ts";

/** The conversations of a file, as a question to a target. */
export interface TalkQuestion {
  readonly form: "talk";
  /** The file's name, for messages. */
  readonly name: string;
  readonly talk: Talk;
  /** Those to play. */
  readonly conversations: readonly Conversation[];
  /** Whether a reply depends on what was drawn for this very question. */
  readonly fresh: boolean;
  /** Whether each request, sent back, would pass for its reply. */
  readonly echo: boolean;
  readonly expected: "";
}

/** @param onlyFirst Whether to play the first conversation alone. */
export function talkQuestion(name: string, talk: Talk, onlyFirst: boolean): TalkQuestion {
  const conversations = talk.conversations
    .filter(({ lines }) => lines.some(({ says }) => says === "server"))
    .slice(0, onlyFirst ? 1 : undefined);
  const isFresh = conversations.some(({ lines }) => hasFreshReply(lines));
  const isEcho = conversations.every(({ lines }) => onlyEchoes(lines));
  return { form: "talk", name, talk, conversations, fresh: isFresh, echo: isEcho, expected: "" };
}

/** Whether the server must say something that its client has drawn. */
function hasFreshReply(lines: readonly Line[]): boolean {
  const drawn = new Set<string>();
  return lines.some(({ says, tokens }) => {
    const names = new Set<string>();
    for (const token of tokens) {
      if (token.kind === "value") visitNames(token.expression, (name) => names.add(name));
    }
    if (says === "client") names.forEach((name) => drawn.add(name));
    return says === "server" && [...names].some((name) => drawn.has(name));
  });
}

function onlyEchoes(lines: readonly Line[]): boolean {
  const said = lines.filter(({ says }) => says === "client" || says === "server");
  const text = ({ source }: Line): string => source.replace(/^\w*[<>]/, "");
  return said.every((line, index) => {
    const before = said[index - 1];
    return line.says === "client" || (before?.says === "client" && text(before) === text(line));
  });
}

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
  const random = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
  const said = ({ says }: Line): void => {
    if (says === "client") seen.sentAt ??= performance.now();
    else seen.lastAt = performance.now();
  };
  for (const conversation of question.conversations) {
    const options = { talk: question.talk, random, timeout, open, said };
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
