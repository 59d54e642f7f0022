/** A class as one page, for a browser: a row for each submission, which opens to its report. */
import { escape } from "@std/html";
import look from "../../../page/browser/page.css" with { type: "text" };
import type { Node } from "../../../page/browser/elements.js";
import { visible } from "../../../text/visible.ts";
import own from "./class.css" with { type: "text" };
import type { Graded } from "./graded.ts";
import { pointsText, type Row, shownLevels } from "./row.ts";

/** Most checks that are listed as failed most. */
const MOST = 5;

/** What the page says of the whole class. */
export interface ClassWords {
  /** `calc-server, level robust`. */
  readonly title: string;
  /** The command that was graded. */
  readonly command: string;
  /** `12 of 30 passed all checks`. */
  readonly outcome: string;
}

/** Returns the page: it needs no script and nothing from a network. */
export async function pageOf(
  words: ClassWords,
  rows: readonly Row[],
  all: readonly Graded[],
): Promise<string> {
  const { html } = await import("../../../page/html.ts");
  const shown = shownLevels(rows);
  const head = ["submission", "points", ...shown, "time", "first failure"];
  const body = [
    ["header", { class: "top" }, [
      "div",
      { class: "title" },
      ["h1", {}, words.title],
      ["p", { class: "where" }, lines(words.command)],
    ], ["p", { class: "outcome" }, words.outcome]],
    ["main", {}, ...mostFailed(all), [
      "section",
      { class: "rows", style: `--levels: ${shown.map(() => "4.5em").join(" ")}` },
      ["h2", {}, "Submissions"],
      [
        "p",
        { class: "cells head", "aria-hidden": "true" },
        ...head.map((name): Node => ["span", {}, name]),
      ],
      ...rows.map((row, index) => rowNode(row, shown, all[index])),
    ]],
  ] satisfies Node[];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(visible(words.title))}</title>
<style>
${look}${own}</style>
</head>
<body>
${body.map(html).join("\n")}
</body>
</html>
`;
}

/** The checks that most submissions failed. */
function mostFailed(all: readonly Graded[]): Node[] {
  const counts = new Map<string, { sentence: string; count: number }>();
  for (const { id, sentence, status } of all.flatMap(({ results }) => results)) {
    if (status !== "fail") continue;
    const entry = counts.get(id) ?? { sentence, count: 0 };
    entry.count++;
    counts.set(id, entry);
  }
  if (counts.size === 0) return [];
  const most = [...counts].sort(([, one], [, other]) => other.count - one.count).slice(0, MOST);
  return [["section", { class: "most" }, ["h2", {}, "Failed most often"], [
    "ol",
    {},
    ...most.map(([id, { sentence, count }]): Node => [
      "li",
      {},
      ["span", { class: "count" }, `${count} of ${all.length}`],
      ["b", {}, id],
      ` ${lines(sentence)}`,
    ]),
  ]]];
}

function rowNode(
  row: Row,
  levels: readonly (keyof Row["levels"])[],
  graded: Graded | undefined,
): Node {
  const { passed, of } = row;
  const cells: Node[] = [
    ["span", { class: "name" }, lines(row.name)],
    ["span", { class: "points", style: `--part: ${of === 0 ? 0 : passed / of}` }, pointsText(row)],
    ...levels.map((level): Node => ["span", { class: "level" }, pointsText(row.levels[level])]),
    ["span", { class: "took" }, `${row.seconds.toFixed(1)} s`],
    ["span", { class: "failure" }, ...failureNodes(row)],
  ];
  return ["details", { class: `submission ${row.passedAll ? "good" : "bad"}` }, [
    "summary",
    { class: "cells" },
    ...cells,
  ], ...graded === undefined ? [] : [reportNode(graded)]];
}

function failureNodes({ failure, offences, passedAll }: Row): Node[] {
  const broken = offences.map((offence): Node => ["strong", { class: "offence" }, lines(offence)]);
  const words = passedAll ? "all passed" : offences.includes(failure) ? "" : failure;
  return [lines(words), ...broken];
}

/** All that was found in a submission. */
function reportNode({ results, problem, offences }: Graded): Node {
  const notes = [problem === undefined ? [] : `not graded: ${problem}`, offences].flat();
  return [
    "div",
    { class: "report" },
    ...notes.map((note): Node => ["p", { class: "note" }, lines(note)]),
    ["ul", {}, ...results.map(checkNode)],
  ];
}

const marks = {
  ...{ pass: "ok", note: "note", fail: "FAIL", allowed: "note", skip: "skip" },
  "not-judged": "not judged",
};

function checkNode(
  { id, status, sentence, reason, level, more = {} }: Graded["results"][number],
): Node {
  return [
    "li",
    { class: `check ${status}` },
    [
      "p",
      {},
      ["b", { class: "mark" }, marks[status]],
      ["code", {}, id],
      ["span", { class: "sentence" }, lines(reason ?? sentence)],
      ["span", { class: "quiet" }, level],
    ],
    ...Object.keys(more).length === 0 ? [] : [
      [
        "dl",
        {},
        ...Object.entries(more).flatMap(([name, value]): Node[] => [
          ["dt", {}, name],
          [
            "dd",
            {},
            ...isQuoted(name) ? [["pre", {}, lines(value)] satisfies Node] : [lines(value)],
          ],
        ]),
      ] satisfies Node,
    ],
  ];
}

/** Whether it holds what was sent or printed, where each column counts. */
function isQuoted(name: string): boolean {
  return ["sent", "want", "saw", "said"].includes(name);
}

/** Text of others made safe; its line breaks stay. */
function lines(value: string): string {
  return value.split("\n").map(visible).join("\n");
}
