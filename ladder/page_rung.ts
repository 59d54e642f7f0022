import { isUtf8 } from "../text/utf8.ts";
import { visible, visibleBytes } from "../text/visible.ts";
import { explanationOf } from "./explain.ts";
import { callsOf, labelOf } from "./labels.ts";
import type { Crossing, Rung } from "./rung.ts";
import { type Tone, toneOf } from "./tone.ts";
import { counted } from "../text/counted.ts";

/** Columns for the bytes at an arrow on the page; an open rung shows all of them. */
const LABEL_COLUMNS = 72;

/** A rung as the page draws it: only text ready to show, so JSON can carry it. */
export interface PageRung {
  /** Milliseconds since the connection began. */
  readonly timeMs: number;
  /** What each side called; empty if unknown. */
  readonly client: string;
  readonly server: string;
  readonly arrow?: PageArrow | undefined;
  /** What happened, for screen readers. */
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
  /** Whether it carries bytes, and whether they are not text. */
  readonly isData: boolean;
  readonly isBinary: boolean;
}

/** The bytes of a rung. */
export interface PageBytes {
  /** How many there were. */
  readonly total: number;
  /** The first of them: as text, in which characters that can't be shown are escaped, and raw. */
  readonly text: string;
  readonly base64: string;
}

/** Converts a rung for the page. */
export function pageRung(rung: Rung): PageRung {
  const { time, client, server, crossing } = rung;
  return {
    timeMs: Math.round(time * 1_000) / 1_000,
    client: callsOf(client),
    server: callsOf(server),
    arrow: crossing && arrowOf(crossing),
    sentence: sentenceOf(rung),
    explanation: explanationOf(rung),
    bytes: bytesOf(crossing),
  };
}

function arrowOf(crossing: Crossing): PageArrow {
  const { from, data, faults = [], lost = false } = crossing;
  const label = labelOf(crossing, LABEL_COLUMNS);
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

/** Whether the bytes are not UTF-8; false for an incomplete piece, as it can't be known. */
function isBinary({ data, bytes = data?.length }: Crossing): boolean {
  return data !== undefined && data.length === bytes && !isUtf8(data);
}

function bytesOf(crossing: Crossing | undefined): PageBytes | undefined {
  if (crossing?.data === undefined || crossing.data.length === 0) return undefined;
  const { data, bytes: total = data.length } = crossing;
  // A line end is shown, and also ends the line.
  const text = visibleBytes(data, (text) => text.split("\n").map(visible).join("\\n\n"));
  return { total, text, base64: data.toBase64() };
}

function sentenceOf({ client, server, crossing }: Rung): string {
  const calls = callsOf([...client, ...server]);
  if (crossing === undefined) return calls;
  const { from, what, data, faults = [], lost = false } = crossing;
  const who = from === "between" ? "both ends" : from;
  const bytes = crossing.bytes ?? data?.length ?? 0;
  const label = labelOf(crossing, LABEL_COLUMNS);
  const said = what === "data"
    ? `${who} sends ${counted(bytes, "byte")}: ${label}`
    : `${who}: ${label}`;
  return [said, ...faults.map((name) => `fault ${name}`), ...(lost ? ["it does not arrive"] : [])]
    .join(", ");
}
