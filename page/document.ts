import template from "./browser/page.html" with { type: "text" };
import { card, insideRung, listItem, rungItem } from "./browser/elements.js";
import { escape, html } from "./html.ts";
import { type ConnectionView, type EventLog, type NumberedRung, START } from "./log.ts";

/** Bytes of each piece that the document has in hex; the script shows all that are kept. */
const HEX_BYTES = 256;

/** What stands around the ladders. */
export interface PageWords {
  /** The program that is watched: `calc-server`. */
  readonly title: string;
  /** Where it listens. */
  readonly where: string;
  /** What there is to do while nobody has connected, and the lines to type for it. */
  readonly hint: string;
  readonly tries: readonly string[];
}

/** The page with the ladders so far, newest connection first, readable without its script. */
export function documentOf(words: PageWords, log: EventLog): string {
  const { connections, rungs } = everything(log);
  const newestFirst = connections.toSorted((one, other) => other.id - one.id);
  const cards = newestFirst.map((connection) =>
    html(card(connection, rungs.get(connection.id) ?? []))
  );
  const values: Readonly<Record<string, string>> = {
    title: escape(words.title),
    where: escape(words.where),
    hint: escape(words.hint),
    tries: words.tries.map((line) => html(["pre", { class: "try" }, line])).join(""),
    total: String(log.total),
    list: newestFirst.map((connection) => html(listItem(connection, false))).join(""),
    cards: cards.join(""),
  };
  return template.replaceAll(/\{\{ (\w+) \}\}/g, (_, name) => values[name] ?? "");
}

/** All that the log keeps, as elements by the connections that they belong to. */
function everything(log: EventLog) {
  const connections = new Map<number, ConnectionView>();
  const rungs = new Map<number, ReturnType<typeof rungItem>[]>();
  let mark = START;
  do {
    const update = log.since(mark);
    for (const connection of update.connections) connections.set(connection.id, connection);
    for (const json of update.rungs) {
      const rung: NumberedRung = JSON.parse(json);
      const list = rungs.get(rung.connection) ?? [];
      rungs.set(rung.connection, list);
      list.push(rungItem(rung, insideRung(rung, HEX_BYTES)));
    }
    mark = update.mark;
  } while (log.isNews(mark));
  return { connections: [...connections.values()], rungs };
}
