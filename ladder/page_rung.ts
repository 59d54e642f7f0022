import { quoteBytes } from "../text/width.ts";
import { visible } from "../text/visible.ts";
import { callText, labelOf } from "./draw.ts";
import { explanationOf } from "./explain.ts";
import type { Crossing, Rung } from "./rung.ts";
import { type Tone, toneOf } from "./tone.ts";

/** Columns of bytes at an arrow of the page; all of them are shown where a rung is opened. */
const LABEL_COLUMNS = 72;

const strict = new TextDecoder("utf-8", { fatal: true });
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A rung as the page draws it: text alone, ready to be shown, which JSON can carry. */
export interface PageRung {
  /** Milliseconds since the connection began. */
  readonly timeMs: number;
  /** What each side called; empty where nothing is known of it. */
  readonly client: string;
  readonly server: string;
  readonly arrow?: PageArrow | undefined;
  /** What happened, for who hears the page and does not see it. */
  readonly sentence: string;
  readonly explanation?: string | undefined;
  readonly bytes?: PageBytes | undefined;
}

/** What crosses in a rung. */
export interface PageArrow {
  readonly from: Crossing["from"];
  readonly tone: Tone;
  readonly label: string;
  readonly faults: readonly string[];
  readonly lost: boolean;
  /** Whether it carries bytes, and whether these are not text. */
  readonly isData: boolean;
  readonly isBinary: boolean;
}

/** The bytes of a rung. */
export interface PageBytes {
  /** How many there were. */
  readonly total: number;
  /** Of the first of them: as text, in which what can't be shown is escaped, and as they are. */
  readonly text: string;
  readonly base64: string;
}

/** A rung for the page. */
export function pageRung(rung: Rung): PageRung {
  const { time, client, server, crossing } = rung;
  return {
    timeMs: Math.round(time * 1_000) / 1_000,
    client: client.map(callText).join(" "),
    server: server.map(callText).join(" "),
    arrow: crossing && arrowOf(crossing),
    sentence: sentenceOf(rung),
    explanation: explanationOf(rung),
    bytes: bytesOf(crossing),
  };
}

function arrowOf(crossing: Crossing): PageArrow {
  const { from, data, faults = [], lost = false } = crossing;
  const label = arrowLabel(crossing, data);
  return {
    from,
    tone: toneOf(crossing),
    label,
    faults: faults.filter((name) => name !== label),
    lost,
    isData: data !== undefined,
    isBinary: isBinary(crossing),
  };
}

function arrowLabel(crossing: Crossing, data: Uint8Array | undefined): string {
  return data === undefined ? labelOf(crossing) : quoteBytes(data, LABEL_COLUMNS);
}

/** Whether there are bytes that are not UTF-8; of a piece that is not whole nobody can say. */
function isBinary({ data, bytes = data?.length }: Crossing): boolean {
  if (data === undefined || data.length !== bytes) return false;
  try {
    strict.decode(data);
    return false;
  } catch {
    return true;
  }
}

function bytesOf(crossing: Crossing | undefined): PageBytes | undefined {
  if (crossing?.data === undefined || crossing.data.length === 0) return undefined;
  const { data, bytes: total = data.length } = crossing;
  const lines = decoder.decode(data).split("\n");
  // A line end is seen, and ends a line.
  return { total, text: lines.map(visible).join("\\n\n"), base64: data.toBase64() };
}

function sentenceOf({ client, server, crossing }: Rung): string {
  const calls = [...client.map(callText), ...server.map(callText)].join(" ");
  if (crossing === undefined) return calls;
  const { from, what, data, faults = [], lost = false } = crossing;
  const who = from === "between" ? "both ends" : from;
  const bytes = crossing.bytes ?? data?.length ?? 0;
  const said = what === "data"
    ? `${who} sends ${bytes} ${bytes === 1 ? "byte" : "bytes"}: ${arrowLabel(crossing, data)}`
    : `${who}: ${labelOf(crossing)}`;
  return [said, ...faults.map((name) => `fault ${name}`), ...(lost ? ["it does not arrive"] : [])]
    .join(", ");
}
