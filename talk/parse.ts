import { parseText } from "./parse_text.ts";
import { beginsWithNewline } from "./parts.ts";
import { TalkError } from "./problem.ts";
import { checkRules, numbersOf } from "./rules.ts";
import { LF } from "./take.ts";
import { isBinary, type Line, type Talk, type Token } from "./talk.ts";

/** Maximum characters of a file. */
export const MAX_FILE = 1024 * 1024;

const NUL = 0;

/** Who says a line, by its sign. */
const signs: Readonly<Record<string, Line["says"]>> = {
  ">": "client",
  "<": "server",
  "!": "mistake",
  type: "typed",
};

/** What may close a title that `==` opens. */
const TITLE_END = /(?<=\s)==$/;
const SAID = /^(?:([A-Za-z]\w*)?([<>!])|(type)(?=\s|$))(.*)$/;

/** A conversation while its lines are read. */
interface Draft {
  readonly title: string;
  readonly lines: Line[];
  readonly number: number;
}

/**
 * Reads a conversation file.
 *
 * @throws {TalkError} if something in it is wrong.
 */
export function parseTalk(text: string): Talk {
  if (text.length > MAX_FILE) throw new TalkError(1, 1, { kind: "file too large", most: MAX_FILE });
  const conversations: Draft[] = [];
  let udp = false;
  let comments: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const source = raw.replace(/\r$/, "");
    const number = index + 1;
    if (source.startsWith("#")) {
      comments.push(source.replace(/^#+ ?/, ""));
      continue;
    }
    if (source.startsWith("==")) {
      const title = source.slice(2).trim().replace(TITLE_END, "").trimEnd();
      conversations.push({ title, lines: [], number });
    } else if (source.trimEnd() === "udp") {
      if (conversations.length > 0) throw new TalkError(number, 1, { kind: "late udp" });
      udp = true;
    } else if (source.trim() !== "") {
      if (conversations.length === 0) conversations.push({ title: "", lines: [], number });
      addLine(conversations.at(-1)?.lines ?? [], parseLine(source, number, comments, udp));
    }
    comments = [];
  }
  checkRules(conversations, udp);
  return { udp, conversations, numbers: numbersOf(conversations) };
}

/** Adds a line. One that begins with a line end brings the end that the line before leaves open. */
function addLine(lines: Line[], line: Line): void {
  const before = lines.at(-1);
  if (
    before?.says === line.says && before.client === line.client && beginsWithNewline(line.tokens[0])
  ) {
    const tokens = before.tokens.filter(({ kind }) => kind !== "optional newline");
    lines[lines.length - 1] = { ...before, tokens };
  }
  lines.push(line);
}

function parseLine(
  source: string,
  number: number,
  comments: readonly string[],
  udp: boolean,
): Line {
  const fail = (column: number, problem: TalkError["problem"]): never => {
    throw new TalkError(number, column, problem);
  };
  const [whole, client = "", arrow, typed, after = ""] = SAID.exec(source) ?? [];
  if (whole === undefined) fail(1, { kind: "unknown line", meant: likelyLine(source.trim()) });
  const sign = arrow ?? typed ?? "";
  const says = signs[sign] ?? "client";
  if (says === "mistake" && client !== "") fail(1, { kind: "named mistake" });
  const start = client.length + sign.length;
  if (after !== "" && !after.startsWith(" ")) {
    fail(start + 1, { kind: "no space", sign: `${client}${sign}`, text: after });
  }
  if (after.length > 1 && /\s$/.test(after)) fail(source.length, { kind: "space at end" });
  const tokens = parseText(after.slice(1), number, start + 2);
  if (says !== "typed" && mayEndInNewline(tokens, udp)) {
    tokens.push({ kind: "optional newline", column: source.length + 1 });
  }
  const comment = comments.length > 0 ? comments.join(" ") : undefined;
  return { says, client, tokens, source, number, comment };
}

/** What was likely meant by a line that is none. */
function likelyLine(text: string): string {
  if (/^udp\b/i.test(text)) return "udp";
  if (/^(?:\/\/|;|--)/.test(text)) return text.replace(/^\W+/, "# ");
  return SAID.test(text) ? text : `> ${text}`;
}

/** Whether a line says nothing about how it ends, so that a line end may follow. */
function mayEndInNewline(tokens: readonly Token[], udp: boolean): boolean {
  const last = tokens.at(-1);
  if (last === undefined || last.kind === "newline" || last.kind === "end") return false;
  if (isBinary(tokens)) return false;
  return udp || last.kind !== "bytes" || ![LF, NUL].includes(last.bytes.at(-1) ?? NUL);
}
