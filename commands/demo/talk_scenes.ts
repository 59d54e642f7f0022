import { readServedTalk } from "../../cli/arguments/talk_file.ts";
import { suggest } from "../../cli/arguments/suggest.ts";
import { deviationLines } from "../../cli/errors/deviation_words.ts";
import { Failure, misuse } from "../../cli/errors/failure.ts";
import { TalkPlayer } from "../../clients/call/talk_player.ts";
import { talkService } from "../../services/talk.ts";
import { TalkDeviation } from "../../talk/deviation.ts";
import type { Conversation, Talk } from "../../talk/talk.ts";
import type { Scene } from "./scenes.ts";
import { STAGE_TIMEOUT_MS } from "./stage.ts";

/** Whether a word of the command line is a conversation file. */
export const isTalkFile = (word: string): boolean => /\.talk$/i.test(word);

/**
 * The conversations of a file, each as a scene in which netdemo plays both sides.
 *
 * @param title The title of the only one to play. @default {all}
 * @throws {Failure} of kind `USAGE` if the file can't be played.
 */
export async function talkScenes(
  path: string,
  title: string | undefined,
): Promise<readonly Scene[]> {
  const talk = await readServedTalk(path);
  const name = path.replace(/^.*[/\\]|\.talk$/gi, "");
  const all = talk.conversations.filter(({ lines }) => lines.some(({ says }) => says === "server"));
  const chosen = title === undefined
    ? all
    : all.filter((conversation) => conversation.title === title);
  if (chosen.length === 0) {
    const titles = all.map(({ title }) => title).filter((title) => title !== "");
    throw misuse(`${path} has no conversation '${title}'`, {
      hint: suggest(title ?? "", titles) ??
        (titles.length > 0 ? `its conversations are: ${titles.join(", ")}` : "leave out the title"),
    });
  }
  return chosen.map((conversation) => sceneOf({ path, name, talk, conversation }));
}

/** A conversation of a file. */
interface TalkScene {
  readonly path: string;
  readonly name: string;
  readonly talk: Talk;
  readonly conversation: Conversation;
}

function sceneOf({ path, name, talk, conversation }: TalkScene): Scene {
  const { title, number } = conversation;
  return {
    name,
    summary: title === "" ? "a conversation" : title,
    lesson: `Both sides say what ${path} shows from line ${number} on.`,
    udpOnly: talk.udp,
    async play(stage) {
      // Only this conversation, so that the server has no other to take it for.
      const service = talkService(name, { ...talk, conversations: [conversation] });
      const server = await stage.serve(service);
      const player = new TalkPlayer(conversation, {
        talk,
        random: Math.random,
        timeout: STAGE_TIMEOUT_MS,
        open: (client) => stage.open(`${client || name}-client`, server),
      });
      using _player = player;
      try {
        await player.play();
      } catch (error) {
        if (!(error instanceof TalkDeviation)) throw error;
        throw new Failure("ERROR", `the server of ${path} does not say what its client expects`, {
          cause: error,
          excerpt: deviationLines(error.facts, path),
          hint: "can what a line says be told apart from what the next one says?",
        });
      }
      await player.leave();
      await stage.served();
      return [];
    },
  };
}
