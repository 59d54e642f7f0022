import { MAX_FILE, parseTalk } from "../../talk/parse.ts";
import { TalkError } from "../../talk/problem.ts";
import type { Talk } from "../../talk/talk.ts";
import { shellWord } from "../../text/shell.ts";
import { excerptOf } from "../errors/excerpt.ts";
import { misuse } from "../errors/failure.ts";
import { wordsOfTalk } from "../errors/talk_words.ts";
import { readText } from "./text_file.ts";

/**
 * Reads a conversation file.
 *
 * @throws {Failure} of kind `USAGE` that shows the line and the place where something is wrong.
 */
export async function readTalk(path: string): Promise<Talk> {
  return readTalkText(path, await textOf(path));
}

/**
 * Reads a file whose server netdemo is to play.
 *
 * @throws {Failure} of kind `USAGE` also if several clients talk to each other over UDP.
 */
export async function readServedTalk(path: string): Promise<Talk> {
  const talk = await readTalk(path);
  const line = talk.conversations.flatMap(({ lines }) => lines).find(({ client }) => client !== "");
  if (line === undefined || !talk.udp) return talk;
  const message = `${path}:${line.number}: a server of several clients can't be played over UDP`;
  throw misuse(message, {
    excerpt: excerptOf(line.source, 1),
    hint: `check plays all of its clients: netdemo check --talk ${shellWord(path)} localhost:7000`,
  });
}

/** The same for a text in memory, such as that of a built-in conversation. */
export function readTalkText(name: string, text: string): Talk {
  try {
    return parseTalk(text);
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    const { line, column, problem } = error;
    const source = text.split("\n")[line - 1]?.replace(/\r$/, "") ?? "";
    throw misuse(`${name}:${line}:${column}: ${wordsOfTalk(problem)}`, {
      cause: error,
      excerpt: source === "" ? [] : excerptOf(source, column),
      hint: "netdemo help conversations explains every sign",
    });
  }
}

async function textOf(path: string): Promise<string> {
  if (await sizeOf(path) > 4 * MAX_FILE) return " ".repeat(MAX_FILE + 1); // too large, whatever it holds
  const hint = "netdemo help conversations shows what such a file holds";
  return await readText(path, `the conversation file '${path}'`, hint);
}

/** Bytes of a file; 0 if that is not known, so that reading it says why. */
async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then(({ size }) => size, () => 0);
}
