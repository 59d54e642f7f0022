import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseTalk } from "../../talk/parse.ts";
import { render } from "../../talk/render.ts";
import type { Token } from "../../talk/talk.ts";
import { numberValue } from "../../talk/value.ts";
import { assertProperty } from "../harness/random.ts";
import { processorTime } from "../harness/mod.ts";
import { latin1, matchAll } from "../harness/talks.ts";

/** What the file shows, replies that fit, and replies that don't. */
const replies: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["30", ["30", "30\n", "30\r\n"], ["30\n\n", "30 ", "3", "300", "thirty"]],
  ["30\\n", ["30\n", "30\r\n"], ["30", "30\r", "30\n\n"]],
  ["30\\r\\n", ["30\r\n"], ["30\n", "30"]],
  ["{...}zero{...}", ["zero", "division by zero!\nreally"], ["zer o", ""]],
  ["{...}", ["", "a\nb"], []],
  ["Hello {word}!\\n", ["Hello Ann!\n", "Hello you! and you!\n"], ["Hello !\n", "Hello a\nb!\n"]],
  ["{word}\\n", ["a\tb\n", "a\r\n"], ["\n", "a\0\n"]],
  ["{...}250 {last}\\r\\n", ["250-a\r\n250 ok\r\n", "250 ok\r\n"], ["250-a\r\n", "250 \r\n"]],
  ["{n 1..9} left\\n", ["5 left\n", "9.0 left\n"], ["0 left\n", "10 left\n", "x left\n"]],
  ["{who} is {n 1..9}\\n", ["this is it is 5\n"], ["this is it\n", "this is 10\n"]],
  ["{w}-{w}\\n", ["ab-ab\n"], ["ab-ba\n"]],
  ["{w} {upper(w)}\\n", ["ab AB\n", "é É\n"], ["ab ab\n"]],
  ["{w} {reverse(w)} {length(w)}\\n", ["ab ba 2\n"], ["ab ba 3\n"]],
  ["{length(w)}:{w},", ["5:hello,", "3:a\nb,"], ["4:hello,", "6:hello,"]],
  ["{length(w) as u8}{w}{v}!", ["\x02abc!", "\x01!b!"], ["\x04abc!", "\x03abc!"]],
  ["{length as u8}{w}!", ["\x03ab!"], ["\x04ab!", "\x02ab!"]],
  ["{length as u16}{...}", ["\0\x02hi", "\0\0"], ["\x02\0hi"]],
  ["{length as u16le}hi", ["\x02\0hi"], ["\0\x02hi"]],
  ["{n as u16} {n as u16le}", ["\x01\x02 \x02\x01"], ["\x01\x02 \x01\x02"]],
  ["{a} + {b} = {a + b}\\n", ["1 + 2 = 3\n", "-1 + 1.5 = 0.5\n"], ["1 + 2 = 4\n"]],
];

Deno.test("a reply fits what the file shows, or does not", () => {
  for (const [shown, right, wrong] of replies) {
    const file = `< ${shown}\n`;
    for (const reply of right) {
      assertEquals(matchAll(file, latin1(toLatin1(reply))).fits, true, `${shown} ${reply}`);
    }
    for (const reply of wrong) {
      assertEquals(matchAll(file, latin1(toLatin1(reply))).fits, false, `${shown} ${reply}`);
    }
  }
});

/** UTF-8 as one character a byte, unless it is that already. */
function toLatin1(text: string): string {
  return /[^\0-\x7f]/.test(text) ? String.fromCharCode(...new TextEncoder().encode(text)) : text;
}

Deno.test("130 is not 30: a number begins where it begins", () => {
  const known = { values: new Map([["n", numberValue({ numerator: 30n, denominator: 1n })]]) };
  const file = "> {n}\n< {...}{n}{...}\n< {n + 0}\n";
  const talk = parseTalk(file);
  const lines = talk.conversations[0]?.lines.slice(1, 2) ?? [];
  for (
    const reply of ["= 30", "30.", "(30)", "x=30;", "1.5 30", "...30", "3e1", "5-30", "a-5 30"]
  ) {
    assertEquals(matchAll(talk, reply, { ...known, lines }).fits, true, reply);
  }
  for (const reply of ["130", "300", "-30", "1.30", "30.5", "3", "0.30"]) {
    assertEquals(matchAll(talk, reply, { ...known, lines }).fits, false, reply);
  }
});

Deno.test("consecutive lines are one stream", () => {
  const file = "< Hello\n< {word}\n< {...}bye\\n\n";
  for (const reply of ["Hello\nyou\nbye\n", "Hello\r\nyou\r\nwell, bye\n"]) {
    assertEquals(matchAll(file, reply).values, { word: "you" });
  }
  assertEquals(matchAll("< {a}\n< {b}\n", "one\r\ntwo\r\n").values, { a: "one", b: "two" });
});

Deno.test("the end of the connection belongs to a reply that shows it", () => {
  assertEquals(matchAll("< bye{end}\n", "bye", { ended: "closed" }).fits, true);
  assertEquals(matchAll("< bye{end}\n", "bye").miss, "3 at 1:6");
  assertEquals(matchAll("< bye{end}\n", "bye!", { ended: "closed" }).miss, "3 at 1:6");
  assertEquals(matchAll("< {...}{end}\n", "any\n", { ended: "closed" }).fits, true);
});

Deno.test("a match knows whether more may belong to it", () => {
  const progress = (file: string, input: string): readonly string[] =>
    matchAll(file, input, { cuts: [...input].map((_, index) => index) }).progress.slice(1);
  assertEquals(progress("< a\\n\n", "a\r\n"), ["more", "more", "matched"]);
  assertEquals(progress("< a\n", "a\r\n"), ["enough", "enough", "matched"]);
  assertEquals(progress("< ab\n", "ac"), ["more", "wrong"]);
  assertEquals(progress("< {w}\n", "ab\n"), ["enough", "enough", "matched"]);
  assertEquals(progress("< {n 1..99}\n", "10.0 "), [
    "enough",
    "enough",
    "enough",
    "enough",
    "matched",
  ]);
  assertEquals(progress("< {...}.\\n\n", "a.\n"), ["more", "more", "matched"]);
});

Deno.test("a line end in a line of its own is not sent twice", () => {
  const { conversations: [{ lines } = { lines: [] }] } = parseTalk("< a\n< \\n\n");
  assertEquals(lines.map(({ tokens }) => tokens.map(({ kind }) => kind)), [["bytes"], ["newline"]]);
});

Deno.test("what is wrong is found as far along as the reply was right", () => {
  assertEquals(matchAll("< one\\n\n< two {w}!\\n\n", "one\ntwo x?\n").miss, "10 at 2:10");
  assertEquals(matchAll("< {length as u8}ab\n", "\x02ac").miss, "2 at 1:17");
});

/** Pieces of files that make ambiguous ones likely. */
const pieces = [
  "a",
  "b",
  "ab",
  " ",
  "1",
  "-",
  ".",
  "\\n",
  "\\r\\n",
  "{...}",
  "{w}",
  "{v}",
  "{n 1..20}",
  "{m}",
  "{x as u8}",
  "{length as u8}",
  "{length(v)}",
];
const fileOf = fc.array(
  fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((line) =>
    `< ${line.join("").replace(/ $/, "b")}`.trimEnd()
  ),
  { minLength: 1, maxLength: 3 },
).map((lines) => `${lines.join("\n")}\n`);

/** A reply as such a file may get it, or nearly. */
const change = fc.record({
  filler: fc.constantFrom("", "a", "ab\n", "1", "x1 "),
  lineEnd: fc.constantFrom("", "\n", "\r\n"),
  at: fc.nat(20),
  removed: fc.nat(2),
  added: fc.constantFrom("", "", "a", "1", "\n", "\r\n", " "),
});

Deno.test("any bytes, cut anywhere, are judged alike", () =>
  assertProperty(
    fc.property(
      fileOf,
      change,
      fc.array(fc.nat(40)),
      fc.boolean(),
      (file, change, cuts, closed) => {
        const talk = parsed(file);
        if (talk === undefined) return;
        const filled = (token: Token): Token =>
          token.kind === "anything"
            ? { ...token, kind: "bytes", bytes: latin1(change.filler) }
            : token;
        const { lineEnd } = change;
        const options = { talk, random: () => 0.4, lineEnd };
        const values = new Map();
        const reply = talk.conversations[0]?.lines.flatMap((
          { tokens },
        ) => [...render(tokens.map(filled), values, options)]) ?? [];
        reply.splice(change.at, change.removed, ...latin1(change.added));
        const input = Uint8Array.from(reply);
        const ended = closed ? "closed" : "silent";
        const { progress: _, ...whole } = matchAll(talk, input, { ended });
        const places = cuts.filter((cut) => cut < input.length).sort((a, b) => a - b);
        for (const cuts of [places, reply.map((_, index) => index)]) {
          const { progress: _, ...pieces } = matchAll(talk, input, { ended, cuts });
          assertEquals(pieces, whole, `${JSON.stringify(file)} ${reply}`);
        }
        if (change.removed === 0 && change.added === "" && change.filler === "" && closed) {
          // What is sent as the file shows it is recognized, if it can be told apart.
          if (!/\{[wv]\}[\n{]|\}\{|[.\-\d]\{|\}[.\-\d1]/.test(file)) assert(whole.fits, file);
        }
      },
    ),
    3_000,
  ));

function parsed(file: string) {
  try {
    return parseTalk(file);
  } catch {
    return undefined;
  }
}

const MEGABYTE = 1_048_576;

Deno.test("a reply of more than 16 MiB is not waited for", () => {
  const long = new Uint8Array(16 * MEGABYTE + 1).fill(97);
  assertEquals(matchAll("< {...}end\\n\n", long).progress, ["wrong"]);
});

/** Milliseconds of processor time that a match takes, the least of three. */
function cpuTime(file: string, fill: string, size = MEGABYTE): number {
  const talk = parseTalk(file);
  const input = latin1(fill.repeat(size / fill.length));
  return Math.min(...[1, 2, 3].map(() => {
    const start = processorTime();
    matchAll(talk, input, { cuts: [size / 4, size / 2] });
    return processorTime() - start;
  }));
}

const fills = ["a", "1", "ab c de1", "x1 x2 x3 x4 ", "1x-", "a\n", "5 "];

Deno.test("a megabyte against twenty {...} takes less than 100 ms", () => {
  const twenty = Array.from({ length: 20 }, (_, index) => `{...}x${index}`).join("");
  for (const file of [`< ${twenty}\\n\n`, `< ${"{...}a".repeat(20)}b\n`]) {
    for (const fill of fills) {
      const ms = cpuTime(file, fill);
      assert(ms < 100, `${JSON.stringify(file)} ${JSON.stringify(fill)} ${ms} ms`);
    }
  }
});

Deno.test("any reply is matched in linear time, whatever it holds", () => {
  const files = [
    "< {...}a{x}b{y} c{z} {v}d{u}e{n 1..9}f\\n\n",
    `< {...}${"a".repeat(1_000)}b\\n\n`,
    "< {...}1{n 1..9}x{...}-{m 1..9}y\\n\n",
    "< {...}{n 1..9}{...}{m 5..9}!\\n\n",
    "< {w}\n< {v} {w}\n< {...}{w}!\\n\n",
    "< {...}{length(w)} {w}\\n\n",
  ];
  for (const file of files) {
    for (const fill of fills) {
      const ms = cpuTime(file, fill, MEGABYTE / 16);
      // 50 ms for the worst; seconds if it were quadratic.
      assert(ms < 1_000, `${JSON.stringify(file)} ${JSON.stringify(fill)} ${ms} ms`);
    }
  }
});
