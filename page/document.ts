import template from "./browser/page.html" with { type: "text" };
import { card, gapItem, insideRung, listItem, rungItem } from "./browser/elements.js";
import { escape } from "@std/html";
import { html } from "./html.ts";
import type { KeptRung } from "./kept_rung.ts";
import type { EventLog, Ladder } from "./log.ts";
import { Turns } from "./turns.ts";

/** Bytes of each piece in the document; the script shows all that are kept. */
const HEX_BYTES = 256;
/** Rungs written before other work gets a turn: a few milliseconds. */
const RUNGS_AT_ONCE = 20;
/** Where a card's rungs go. */
const RUNGS = '<ol class="rungs">';

/** All documents are written in turns: many at once hold others up no longer than one does. */
const turns = new Turns();

/** The texts around the ladders. */
export interface PageWords {
  /** The program being watched: `calc-server`. */
  readonly title: string;
  /** Where it listens. */
  readonly where: string;
  /** What to do until a client connects, and the lines to type. */
  readonly hint: string;
  readonly tries: readonly string[];
}

/**
 * Generates the page with the ladders so far, newest connection first, readable without its script.
 * Other work gets a turn between pieces.
 */
export async function* documentOf(words: PageWords, log: EventLog): AsyncGenerator<string> {
  const ladders = log.ladders();
  const values: Readonly<Record<string, string>> = {
    title: escape(words.title),
    where: escape(words.where),
    hint: escape(words.hint),
    tries: words.tries.map((line) => html(["pre", { class: "try" }, line])).join(""),
    total: String(log.total),
    list: ladders.map(({ connection }) => html(listItem(connection, false))).join(""),
  };
  const [head = "", foot = ""] = template.split("{{ cards }}");
  yield head.replaceAll(/\{\{ (\w+) \}\}/g, (_, name) => values[name] ?? "");
  for (const ladder of ladders) yield* cardOf(ladder);
  yield foot;
}

async function* cardOf({ connection, rungs }: Ladder): AsyncGenerator<string> {
  const [start = "", end = ""] = html(card(connection)).split(RUNGS);
  yield start + RUNGS;
  const { gap } = connection;
  const write = (rung: KeptRung): string =>
    htmlOf(rung) + (rung.number === gap?.after ? html(gapItem(gap)) : "");
  for (let first = 0; first < rungs.length; first += RUNGS_AT_ONCE) {
    yield await turns.run(() => rungs.slice(first, first + RUNGS_AT_ONCE).map(write).join(""));
  }
  yield end;
}

/** Each rung is written once, for all documents. */
const written = new WeakMap<KeptRung, string>();

function htmlOf(kept: KeptRung): string {
  const known = written.get(kept);
  if (known !== undefined) return known;
  const rung = kept.numbered();
  const text = html(rungItem(rung, insideRung(rung, HEX_BYTES)));
  written.set(kept, text);
  return text;
}
