import type { DeviationFacts, DeviationHint } from "../../talk/deviation.ts";
import { escapeBytes, escapeWithin } from "../../talk/escape.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { visible } from "../../text/visible.ts";
import { cutTo, widthOf } from "../../text/width.ts";
import { excerptOf } from "./excerpt.ts";

/** Columns of a message that are shown. */
const SHOWN = 60;
/** Bytes that are made visible at most, before and after the place that is wrong. */
const NEAR = 200;

/** How a reply deviates from a file, on one line. */
export function deviationWords(facts: DeviationFacts): string {
  const { line, wanted, kind } = facts;
  const came = cutTo(cameWords(facts), SHOWN);
  if (kind === "more") return `line ${line.number}: more came: ${came}`;
  return `line ${line.number}: wanted ${cutTo(visible(wanted), SHOWN)}, came ${came}`;
}

/**
 * How a reply deviates from a file, line by line: the line of the file, what was sent, what was
 * wanted and what came, with carets where they part.
 *
 * @param name The file's name.
 */
export function deviationLines(facts: DeviationFacts, name: string): readonly string[] {
  const { line, token, sent, wanted, came, right, kind } = facts;
  const [source = "", caret = ""] = excerptOf(line.source, columnOf(facts));
  const label = `${name}:${line.number}: `;
  const start = Math.max(0, right - NEAR);
  const before = (start > 0 ? "..." : "") +
    (right < came.length ? escapeWithin : escapeBytes)(came.subarray(start, right));
  const cut = widthOf(before) > SHOWN / 2 ? `...${before.slice(-SHOWN / 2)}` : before;
  const from = escapeBytes(came.subarray(right, right + NEAR));
  return [
    ...(line.comment === undefined ? [] : [`${" ".repeat(label.length)}# ${line.comment}`]),
    `${label}${source}`,
    ...(token === undefined ? [] : [" ".repeat(label.length) + caret]),
    ...(sent === undefined ? [] : [`sent    ${cutTo(escapeBytes(sent.subarray(0, NEAR)), SHOWN)}`]),
    kind === "more" ? "wanted  nothing more" : `wanted  ${cutTo(visible(wanted), SHOWN)}`,
    ...(came.length === 0 ? [`came    ${cameWords(facts)}`] : [
      `came    ${cutTo(cut + from, SHOWN)}${endWords(facts)}`,
      ...(kind === "wrong" ? [`        ${" ".repeat(widthOf(cut))}^`] : []),
    ]),
  ];
}

/** Where in the line of the file it parts: within a text, after what is the same. */
function columnOf({ token, into = 0 }: DeviationFacts): number {
  if (token?.kind !== "bytes") return token?.column ?? 1;
  return token.column + escapeWithin(token.bytes.subarray(0, into)).length;
}

function cameWords(facts: DeviationFacts): string {
  const { came, timeoutMs, ending, strangers = 0 } = facts;
  if (came.length > 0) return escapeBytes(came.subarray(0, NEAR)) + endWords(facts);
  if (ending !== undefined) return `nothing${endWords(facts)}`;
  const other = strangers > 0 ? `, but ${strangers} from another port` : "";
  return `nothing in ${formatDuration(timeoutMs)}${other}`;
}

function endWords({ ending, token, kind }: DeviationFacts): string {
  if (ending === "closed") return ", then the connection closed";
  if (ending === "reset") return ", then the connection was reset";
  if (token?.kind === "end") return ", and the connection stayed open";
  return kind === "less" ? ", and nothing more" : "";
}

/** How the file does not fit its server, if that is known. */
export function deviationHint(hint: DeviationHint): string {
  switch (hint) {
    case "needs line end":
      return "it answered once a line end followed: does the request end with \\n?";
    case "needs more bytes":
      return "it answered once its client had ended its side: it waits for more bytes than the file sends";
    case "speaks first":
      return "it speaks first: begin with what it says, in a line with <";
    case undefined:
      return "either the server is wrong or the file is: netdemo help conversations explains its signs";
  }
}
