/** What shows that a program was wrong: what came with a caret, the mistake's name, and advice. */
import type { DeviationFacts } from "../../talk/deviation.ts";
import { concat } from "@std/bytes/concat";
import { type Evidence, Finding } from "../../suite/test.ts";
import { visibleBytes } from "../../text/visible.ts";
import { counted } from "../../text/counted.ts";
import { crashFix } from "./advice.ts";
import { mistakeIn } from "./mistakes.ts";
import type { Program } from "./program/program.ts";

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

/** Something that came, where it goes wrong, and what should have come. */
interface Wrong {
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
  const mistake = mistakeIn(came, wanted, asked);
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
function wrongReply(facts: DeviationFacts, before: Uint8Array = new Uint8Array()): Evidence {
  if (facts.kind !== "more") return wrongBytes(facts);
  const came = concat([before, facts.came]);
  const wanted = decoder.decode(before);
  return { ...wrongBytes({ ...facts, came, right: before.length, wanted }) };
}

/** What is known of the conversation around a reply. */
interface Around {
  /** The reply before. */
  readonly before: Uint8Array | undefined;
  /** Id of the check that is about wrong replies. */
  readonly blames: string;
  readonly isDatagram: boolean;
  /** Whether a file shows the conversation. */
  readonly isFile: boolean;
}

export async function replyEvidence(
  facts: DeviationFacts,
  program: Program,
  { before, blames, isDatagram, isFile }: Around,
): Promise<Evidence> {
  const { came, kind, ending, hint } = facts;
  if (hint === "speaks first") {
    return {
      saw: `it speaks first: ${shown(came)}`,
      fix: isFile
        ? "let the client begin; or, if it is to greet, show the greeting in the conversation"
        : "let the client begin: send() nothing before the first recv()",
    };
  }
  // A wrong sum says nothing about the situation that it was asked for in.
  if (kind === "wrong" || kind === "more") return { ...wrongReply(facts, before), blames };
  // What ended it after it was silent for so long was the search for a hint.
  const wasSilent = ending === undefined && came.length === 0 && !isDatagram;
  const ended = await program.child?.howItEnded();
  const how = wasSilent ? undefined : ended;
  const then = [
    ...(ending === "closed" ? ["the connection closed"] : []),
    ...(ending === "reset" ? ["the connection was reset"] : []),
    ...(how === undefined ? [] : [how]),
  ].join("; ");
  if (facts.token?.kind === "end" && then === "") return { ...staysOpen(facts), blames };
  if (came.length > 0) {
    const { saw, ...evidence } = wrongReply(facts);
    return { ...evidence, saw: then === "" ? saw : `${saw}, then ${then}` };
  }
  const said = how && await program.said();
  const hasCrashed = how !== undefined && program.hasCrashed;
  // What it says about a crash that the search for a hint has caused is beside the point.
  const isBeside = wasSilent && program.hasCrashed;
  return { ...silenceEvidence(facts, then, hasCrashed, said), said: isBeside ? "" : said };
}

/** All that should have come did, but for the end. */
function staysOpen({ came, sent, timeoutMs }: DeviationFacts): Evidence {
  const stayed = `the connection was still open after ${timeoutMs / 1_000}s`;
  return {
    sent: sent && shown(sent),
    want: "the end of the connection",
    saw: came.length === 0 ? stayed : `${shown(came)}, and ${stayed}`,
    why: "its client waits for the end of the connection",
    fix: "close() the client's socket once all is said",
    isSilence: true,
  };
}

/** @param then How the connection and the program ended; empty if they did not. */
function silenceEvidence(
  facts: DeviationFacts,
  then: string,
  hasCrashed: boolean,
  said: string | undefined,
): Evidence {
  const { sent, wanted, hint, strangers = 0, timeoutMs } = facts;
  const elsewhere = strangers > 0
    ? `; ${counted(strangers, "datagram")} came from another port`
    : "";
  const nothing = then === "" ? `nothing within ${timeoutMs / 1_000}s${elsewhere}` : then;
  return {
    sent: sent && shown(sent),
    want: wanted,
    saw: hint === undefined ? nothing : `${nothing}; ${observed[hint]}`,
    ...silenceAdvice(facts, hasCrashed, said),
    isSilence: then === "" && hint === undefined,
  };
}

const observed: Readonly<Record<string, string>> = {
  "needs line end": "once a line end followed, it answered",
  "needs more bytes": "once the client had ended its side, it answered",
};

/** What to do about an answer of which nothing came. */
function silenceAdvice(
  { hint, ending }: DeviationFacts,
  hasCrashed: boolean,
  said: string | undefined,
): Pick<Evidence, "fix" | "why"> {
  const why = "a client waits for its answer; without one it waits for nothing";
  if (hint === "needs line end") {
    return { why, fix: "read with recv() instead of readLine(): the request has no line end" };
  }
  if (hint === "needs more bytes") {
    return { why, fix: "answer once the request has come: it waits for more bytes than were sent" };
  }
  if (hasCrashed) {
    return {
      why: "a program that crashes answers nobody",
      fix: said === undefined
        ? "find out where it crashes: print something before each step"
        : crashFix(said),
    };
  }
  const flush = "if you write through a buffer (PrintWriter, printf), flush it";
  if (ending === "reset") {
    return { why, fix: "recv() the request, and send() the answer, before you close" };
  }
  return {
    why,
    fix: ending === undefined
      ? `send() the answer to the client; ${flush}`
      : `send() the answer before you close; ${flush}`,
  };
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
