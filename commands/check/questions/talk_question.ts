import { type Conversation, type Line, namesIn, type Talk } from "../../../talk/talk.ts";

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
    const names = namesIn(tokens);
    if (says === "client") names.forEach((name) => drawn.add(name));
    return says === "server" && names.some((name) => drawn.has(name));
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
