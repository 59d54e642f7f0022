/** A line to write: who says it, and its text as a file has it (see {@linkcode file://./escape.ts}). */
export interface WrittenLine {
  readonly says: "client" | "server" | "mistake" | "typed";
  /** Which of several clients. @default {""} */
  readonly client?: string;
  readonly text: string;
  /** Comment lines right above it. */
  readonly comments?: readonly string[];
}

/** A file to write. */
export interface WrittenTalk {
  readonly udp: boolean;
  readonly conversations: readonly {
    readonly title: string;
    /** Comment lines below the title. */
    readonly comments?: readonly string[];
    readonly lines: readonly WrittenLine[];
  }[];
}

const signs = { client: ">", server: "<", mistake: "!", typed: "type" } as const;

/** The text of a conversation file. A title is left out where it is the only one and empty. */
export function writeTalk({ udp, conversations }: WrittenTalk): string {
  const blocks = conversations.map(({ title, comments = [], lines }) => {
    const isPlain = title === "" && conversations.length === 1;
    return [
      ...(isPlain ? [] : [`== ${title}`.trimEnd()]),
      ...comments.map(writeComment),
      ...lines.flatMap(writeLine),
    ].map((line) => `${line}\n`).join("");
  });
  return `${udp ? "udp\n" : ""}${blocks.join("\n")}`;
}

function writeLine({ says, client = "", text, comments = [] }: WrittenLine): readonly string[] {
  // White space that nobody would see.
  const shown = text.replace(/\s$/, (space) => `\\x${space.charCodeAt(0).toString(16)}`);
  return [...comments.map(writeComment), `${client}${signs[says]} ${shown}`.trimEnd()];
}

const writeComment = (comment: string): string => `# ${comment}`.trimEnd();
