import { MAX_FILE } from "../../../talk/parse.ts";
import { writeTalk, type WrittenLine } from "../../../talk/write.ts";
import { confirmedTexts, plainText } from "./confirm.ts";
import { Evidence } from "./evidence.ts";
import { letterOf } from "./letters.ts";
import type { RecordedConversation, Turn } from "./recording.ts";

/** How a recording is written. */
export interface FileOptions {
  readonly protocol: "tcp" | "udp";
  /** Whether names stand for what can be calculated or occurs on both sides. */
  readonly fresh: boolean;
}

/** The text of a recording before anything has passed. */
export const NOTHING_SAID = "# Nothing has been said yet.\n";

/** The text of a conversation file. */
export function conversationFile(
  conversations: readonly RecordedConversation[],
  options: FileOptions,
): string {
  // A connection on which nothing was said, such as a health check's, shows nothing to play.
  const spoken = conversations.filter(({ turns }) => turns.length > 0);
  if (spoken.length === 0) return NOTHING_SAID;
  const text = textOf(spoken, options);
  // What is kept of a recording fits into a file, but names may be longer than what they stand for.
  return text.length <= MAX_FILE ? text : textOf(spoken, { ...options, fresh: false });
}

function textOf(
  spoken: readonly RecordedConversation[],
  { protocol, fresh }: FileOptions,
): string {
  const udp = protocol === "udp";
  const evidence = new Evidence(fresh ? spoken.map(({ turns }) => turns) : []);
  const file = { evidence, ranges: new Map<string, string>() };
  const written = spoken.map(({ connections, turns, remarks }) => {
    const write = (texts: readonly string[]) => linesOf(turns, connections, texts, udp);
    const texts = fresh ? confirmedTexts(turns, file, udp, write) : turns.map(plainText);
    return {
      title: spoken.length > 1 || remarks.length > 0 ? `connection ${connections.join(", ")}` : "",
      comments: remarks,
      lines: write(texts).flat(),
    };
  });
  const [first] = written;
  const isAnswered = written.some(({ lines }) => lines.some(({ says }) => says === "server"));
  if (first !== undefined && !isAnswered) first.lines.push(silence(first.lines[0]?.client));
  return writeTalk({ udp, conversations: written });
}

/** A line for a server that never said anything: a file without any could not be read. */
function silence(client = ""): WrittenLine {
  return { says: "server", client, text: "{...}", comments: ["The server said nothing."] };
}

/** The lines of each turn. */
function linesOf(
  turns: readonly Turn[],
  connections: readonly number[],
  texts: readonly string[],
  udp: boolean,
): WrittenLine[][] {
  return turns.map(({ from, connection, ends, omitted }, index) => {
    const client = connections.length > 1 ? letterOf(connections.indexOf(connection)) : "";
    const text = texts[index] ?? "";
    const pieces = from === "server" && !udp ? readableLines(text) : [text];
    const end = `${omitted > 0 && from === "server" ? "{...}" : ""}${ends ? "{end}" : ""}`;
    return pieces.map((piece, at) => ({
      says: from,
      client,
      text: at === pieces.length - 1 ? piece + end : piece,
    }));
  });
}

/** A long reply reads better line by line; where a server's bytes are cut does not matter. */
function readableLines(text: string): string[] {
  return text.match(/(?:\\[^n]|[^\\])*?\\n|(?:\\[^n]|[^\\])+$/gs) ?? [text];
}
