import { padTo, widthOf, wrap } from "../../text/width.ts";
import type { Command, Program, Version } from "../command.ts";
import { cannot } from "../runtime.ts";
import type { Flags, Switch, ValueFlag } from "./flags.ts";

/** Columns before a row, and between its two parts. */
const INDENT = 2;
/** Columns before an explanation that is below its name, for lack of room next to it. */
const BELOW = 8;
/** Least columns for the right part of a row. */
const MIN_ABOUT = 30;

/** A row of a table: a name, and what it means. */
export type Row = readonly [name: string, about: string];

/** Returns what `netdemo` alone prints. */
export function overview(commands: readonly Command[], version: Version, columns: number): string {
  const rows: Row[] = commands.map(({ name, summary }) => [name, summary]);
  return pageOf([
    wrap(`netdemo ${version.number}: the servers and clients of a first sockets lesson`, columns),
    hanging("Usage: netdemo COMMAND [FLAGS] [ARGUMENTS]", columns),
    [
      "Commands:",
      ...table([...rows, ["help", "shows this page, or how one command is used"]], columns),
    ],
    [
      "Try it, in two terminals:",
      "  netdemo calc-server --port 4040",
      "  netdemo calc-client localhost:4040 10 20 +",
    ],
    wrap(
      "netdemo help COMMAND shows a command's flags; help exit-codes, help targets, " +
        "help conversations and help json explain what they have in common; --version shows the version.",
      columns,
    ),
  ]);
}

/** Returns what `netdemo help COMMAND` prints. */
export async function commandHelp(
  command: Command,
  program: Program,
  columns: number,
): Promise<string> {
  const hasShort = Object.values(program.flags).some(({ short }) => short !== undefined);
  const flags: Flags = { ...program.flags, help: { short: "h", about: "show this page" } };
  const rows = Object.entries(flags).map(([name, flag]): Row => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = flag.value ?? (flag.choices && `[${flag.choices.join("|")}]`);
    return [
      `${hasShort ? short : ""}--${name}${value === undefined ? "" : ` ${value}`}`,
      flag.about + defaultOf(flag),
    ];
  });
  const usage = ["Usage: netdemo", command.name, "[FLAGS]", program.usage].filter(Boolean);
  return pageOf([
    wrap(`netdemo ${command.name}: ${command.summary}`, columns),
    hanging(usage.join(" "), columns),
    paragraphs(program.about, columns),
    ["Flags:", ...table(rows, columns)],
    ...(await notesOn(program)).map((note) => wrap(note, columns)),
    ["Examples:", ...program.examples.map((example) => `  ${example.trimEnd()}`)],
  ]);
}

/** What the flags of a command, or this runtime, call for. */
async function notesOn({ flags, resets = false }: Program): Promise<readonly string[]> {
  const hasDuration = Object.values(flags).some(({ value }) => value === "D");
  const notes = hasDuration
    ? ["A duration D is 250ms, 5s, 2m or 1h; a bare number is seconds."]
    : [];
  if (!resets || (await import("../../sockets/runtime.ts")).canReset) return notes;
  return [
    ...notes,
    `${cannot("reset", `This runtime, Deno ${Deno.version.deno},`)}: it closes them.`,
  ];
}

/** Joins blocks of lines, with an empty line between blocks. */
export function pageOf(blocks: readonly (readonly string[])[]): string {
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** Lays out names on the left and their meanings on the right or, if that is too narrow, below. */
export function table(rows: readonly Row[], columns: number): string[] {
  const width = Math.max(...rows.map(([name]) => widthOf(name)));
  const indent = INDENT + width + 2;
  const isNarrow = columns - indent < MIN_ABOUT;
  return rows.flatMap(([name, about]) => {
    const left = " ".repeat(INDENT) + (isNarrow ? name : padTo(name, width + 2));
    const room = isNarrow ? columns - BELOW : columns - indent;
    const [first = "", ...rest] = wrap(about, room);
    const below = " ".repeat(isNarrow ? BELOW : indent);
    const right = isNarrow ? [left, below + first] : [left + first];
    return [...right, ...rest.map((line) => below + line)].map((line) => line.trimEnd());
  });
}

/** Wraps paragraphs; a line with columns is a row of a table, and is wrapped by itself. */
export function paragraphs(text: string, columns: number): string[] {
  const blocks: string[] = [];
  for (const line of text.split("\n")) {
    const last = blocks.at(-1);
    if (last !== undefined && isProse(last) && isProse(line)) {
      blocks[blocks.length - 1] = `${last} ${line}`;
    } else blocks.push(line);
  }
  return blocks.flatMap((block) => isProse(block) ? wrap(block, columns) : hanging(block, columns));
}

/** Whether a line is part of a paragraph: not empty, and without columns. */
function isProse(line: string): boolean {
  return line !== "" && !/^ | {2}/.test(line);
}

/** Wraps a line to its own indentation; a row with two parts to that of the second. */
function hanging(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const [, row] = /^( *\S+(?: \S+)* {2,})\S/.exec(line) ?? [];
  const [, spaces = ""] = /^( *)/.exec(line) ?? [];
  const fits = row !== undefined && columns - row.length >= MIN_ABOUT;
  const head = fits ? row : spaces;
  const below = " ".repeat(head.length + (fits || spaces !== "" ? 0 : INDENT));
  const [first = "", ...rest] = wrap(
    line.slice(head.length).replaceAll(/ {2,}/g, "  "),
    columns - below.length,
  );
  return [head + first, ...rest.map((part) => below + part)];
}

function defaultOf(flag: ValueFlag<unknown> | Switch): string {
  if (flag.value === undefined || flag.default === undefined) return "";
  return ` (default ${flag.show?.(flag.default) ?? flag.default})`;
}
