/** Evidence of a reply that is not what the conversation shows, with the mistake's name. */
import type { DeviationFacts } from "../../talk/deviation.ts";
import { concat } from "@std/bytes/concat";
import { type Evidence, Finding } from "../../suite/test.ts";
import { escapeBytes } from "../../talk/escape.ts";
import { visibleBytes } from "../../text/visible.ts";
import { mistakeIn, type Wanted } from "./mistakes.ts";

/** Most characters of a quoted text. */
const SHOWN = 60;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as text on one line: control characters are shown as `\x00`, long text is shortened. */
export function shown(data: string | Uint8Array): string {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  const whole = visibleBytes(bytes);
  if (whole.length <= SHOWN) return whole;
  return `${whole.slice(0, SHOWN / 2)}...${whole.slice(-SHOWN / 4)} (${bytes.length} bytes)`;
}

/** `ff fe (in hex)`. */
export function inHex(bytes: Uint8Array): string {
  return `${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")} (in hex)`;
}

const SWAPPED = {
  name: "the bytes of a number are in reverse order",
  fix: "send numbers in network byte order: htonl() in C, '!I' in Python's struct",
  why: "machines differ in the order of a number's bytes: both sides must agree on one",
};

/** Whether numbers in binary came with their bytes in reverse order. @param wanted As a file shows it. */
export function areSwapped(came: Uint8Array, wanted: string): boolean {
  return [2, 4, 8].some((size) =>
    came.length % size === 0 && escapeBytes(swapped(came, size)) === wanted
  ) && escapeBytes(came) !== wanted;
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.map((_, index) => bytes[index - index % size + size - 1 - index % size] ?? 0);
}

/** Something that came, where it goes wrong, and what should have come. */
export interface Wrong {
  readonly came: Uint8Array;
  /** How many of its bytes are right. */
  readonly right: number;
  /** What should have come, as a file shows it. */
  readonly wanted: string;
  readonly sent?: Uint8Array | undefined;
}

/** Describes something wrong, with a caret under its first wrong byte, and names the mistake. */
export function wrongBytes({ came, right, wanted, sent }: Wrong): Evidence {
  const asked = sent === undefined ? "" : decoder.decode(sent);
  const mistake = areSwapped(came, wanted)
    ? SWAPPED
    : mistakeIn(decoder.decode(came), wantedFrom(wanted), asked);
  const what = mistake?.name ??
    (right < came.length
      ? `byte ${right + 1} ${right === wanted.length ? "is too much" : "differs"}`
      : "the rest is missing");
  return {
    sent: sent && shown(sent),
    want: wanted === "" ? "nothing more" : shortened(wanted),
    saw: `${shown(came)}\n${caret(came, right)} ${what}`,
    fix: mistake?.fix,
    why: mistake?.why,
  };
}

/**
 * Describes a reply that is not what the conversation shows.
 *
 * @param before The reply that was right, if there came more than that.
 */
export function wrongReply(facts: DeviationFacts, before: Uint8Array = new Uint8Array()): Evidence {
  if (facts.kind !== "more") return wrongBytes(facts);
  const came = concat([before, facts.came]);
  const wanted = decoder.decode(before);
  return { ...wrongBytes({ ...facts, came, right: before.length, wanted }) };
}

/** Waits for something, and changes the evidence of what it finds. @throws {Finding} */
export async function withEvidence(
  running: Promise<void>,
  change: (evidence: Evidence) => Evidence | Promise<Evidence>,
): Promise<void> {
  try {
    await running;
  } catch (error) {
    throw error instanceof Finding ? new Finding(await change(error.evidence)) : error;
  }
}

/** What a file shows, without its escapes. */
function wantedFrom(wanted: string): Wanted {
  const end = wanted.endsWith("\\r\\n") ? "\\r\\n" : wanted.endsWith("\\n") ? "\\n" : "";
  return { text: wanted.slice(0, wanted.length - end.length), end };
}

function shortened(text: string): string {
  if (text.length <= 2 * SHOWN) return text;
  return `${text.slice(0, SHOWN)}...${text.slice(-SHOWN / 4)}`;
}

function caret(bytes: Uint8Array, position: number): string {
  const before = visibleBytes(bytes.subarray(0, position)).length;
  const whole = visibleBytes(bytes).length;
  // The middle of a long answer is cut out: the caret can point no further than the cut.
  return " ".repeat(whole > SHOWN ? Math.min(before, SHOWN / 2) : before) + "^";
}
